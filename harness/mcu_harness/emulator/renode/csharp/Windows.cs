// The measured stretches of a run: when one opens, what it counts, what is written into and read out of memory.
namespace McuHarness
{
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Windows
    {
        /// <summary>`blocks` is null when only instructions are counted; `calls`, when none are followed.</summary>
        public Windows(Plan plan, CoreBus bus, CortexM core, Channel channel, BlockStream blocks, Calls calls)
        {
            this.calls = calls;
            this.plan = plan;
            this.bus = bus;
            this.core = core;
            this.channel = channel;
            this.blocks = blocks;
        }

        /// <summary>Whether one is open. Of calls that are followed, some under way may be left: the harness knows which.</summary>
        public bool IsOpen { get { return isOpen || (calls != null && calls.IsOpen); } }

        /// <summary>Whether the first window opens at reset: nothing else says where one begins.</summary>
        public bool WholeRun
        {
            get
            {
                var begins = plan.Begin.HasValue && (plan.Windows.Count > 0 || plan.Repeat);
                return !begins && !plan.Dialogue.Any(x => x.Measured);
            }
        }

        /// <summary>Whether all windows of a plan that counts them are closed.</summary>
        public bool Finished { get { return plan.Windows.Count > 0 && !IsOpen && closed >= plan.Windows.Count; } }

        /// <summary>Whether something is to be measured that was not yet.</summary>
        public bool Awaited { get { return closed < plan.Windows.Count || (plan.Repeat && closed == 0 && (calls == null || !calls.HaveEnded)); } }

        /// <summary>Where to stop next: at the ends of open windows, or where one begins.</summary>
        public IEnumerable<ulong> Exits
        {
            get
            {
                if(calls != null)
                {
                    foreach(var address in calls.Exits)
                    {
                        yield return address;
                    }
                    yield break;
                }
                var next = IsOpen ? end : plan.Repeat || closed < plan.Windows.Count ? plan.Begin : null;
                if(next.HasValue)
                {
                    yield return next.Value;
                }
            }
        }

        /// <summary>Open or close a window at `pc`, one of `Exits`; it may be reached without being meant (recursion).</summary>
        public void At(ulong pc)
        {
            if(calls != null)
            {
                calls.At(pc);
            }
            else if(!IsOpen)
            {
                Open(pc);
            }
            else
            {
                Close();
            }
        }

        /// <summary>Open a window whose first instruction is at `pc`.</summary>
        public void Open(ulong pc)
        {
            isOpen = true;
            end = WholeRun ? null : plan.End;
            if(closed < plan.Windows.Count)
            {
                foreach(var chunk in plan.Windows[closed].Writes)
                {
                    bus.WriteBytes(chunk.Data, chunk.Address);
                }
            }
            if(blocks != null)
            {
                blocks.Flush();
            }
            channel.Send(new Answer('O').Word((uint)pc).Word((uint)core.SP.RawValue));
            openedAt = core.ExecutedInstructions;
            if(blocks != null)
            {
                blocks.Open();
            }
        }

        /// <summary>Close the window that is open.</summary>
        public void Close()
        {
            isOpen = false;
            var instructions = core.ExecutedInstructions - openedAt;
            if(blocks != null)
            {
                blocks.Close();
            }
            var reads = closed < plan.Windows.Count ? plan.Windows[closed].Reads : new List<Area>();
            closed++;
            var answer = new Answer('W').Long(instructions).Word((uint)reads.Count);
            foreach(var area in reads)
            {
                answer.Bytes(bus.ReadBytes(area.Address, area.Size));
            }
            channel.Send(answer);
        }

        private readonly Plan plan;
        private readonly CoreBus bus;
        private readonly CortexM core;
        private readonly Channel channel;
        private readonly BlockStream blocks;
        private readonly Calls calls;
        private bool isOpen;
        private int closed;
        private ulong? end;
        private ulong openedAt;
    }
}
