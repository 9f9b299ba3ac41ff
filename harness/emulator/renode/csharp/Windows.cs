// The measured stretches of a run: when one opens, what it counts, what is written into and read out of memory.
namespace McuHarness
{
    using System.Collections.Generic;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Windows
    {
        /// <summary>`blocks` is null when only instructions are counted.</summary>
        public Windows(Plan plan, IBusController bus, CortexM core, Channel channel, BlockStream blocks)
        {
            this.plan = plan;
            this.bus = bus;
            this.core = core;
            this.channel = channel;
            this.blocks = blocks;
        }

        public bool IsOpen { get; private set; }

        /// <summary>Whether every window of the plan has been seen.</summary>
        public bool AllSeen { get { return closed >= plan.Windows.Count; } }

        /// <summary>A program without windows is one window, from reset to exit.</summary>
        public bool WholeRun { get { return plan.Windows.Count == 0; } }

        public void Open()
        {
            if(IsOpen || (AllSeen && !WholeRun))
            {
                return;
            }
            IsOpen = true;
            if(!WholeRun)
            {
                foreach(var chunk in plan.Windows[closed].Writes)
                {
                    bus.WriteBytes(chunk.Data, chunk.Address);
                }
            }
            openedAt = core.ExecutedInstructions;
            if(blocks != null)
            {
                blocks.Open();
            }
        }

        public void Close()
        {
            if(!IsOpen)
            {
                return;
            }
            IsOpen = false;
            var instructions = core.ExecutedInstructions - openedAt;
            if(blocks != null)
            {
                blocks.Close();
            }
            var reads = WholeRun ? new List<Area>() : plan.Windows[closed].Reads;
            closed++;
            var answer = new Answer('W').Long(instructions).Word((uint)reads.Count);
            foreach(var area in reads)
            {
                answer.Bytes(bus.ReadBytes(area.Address, area.Size));
            }
            channel.Send(answer);
        }

        private readonly Plan plan;
        private readonly IBusController bus;
        private readonly CortexM core;
        private readonly Channel channel;
        private readonly BlockStream blocks;
        private int closed;
        private ulong openedAt;
    }
}
