// The measured stretches of a run: when one opens, what it counts, what is written into and read out of memory.
namespace McuHarness
{
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Windows
    {
        /// <summary>`blocks` is null when only instructions are counted.</summary>
        public Windows(Plan plan, CoreBus bus, CortexM core, Channel channel, BlockStream blocks)
        {
            this.plan = plan;
            this.bus = bus;
            this.core = core;
            this.channel = channel;
            this.blocks = blocks;
        }

        /// <summary>Whether one is open. Of calls that are followed, some under way may be left: the harness knows which.</summary>
        public bool IsOpen { get { return isOpen || calls.Count > 0; } }

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
        public bool Awaited { get { return closed < plan.Windows.Count || (plan.Repeat && closed == 0); } }

        /// <summary>Where to stop next: at the ends of open windows, or where one begins.</summary>
        public IEnumerable<ulong> Exits
        {
            get
            {
                if(FollowsCalls)
                {
                    foreach(var call in calls)
                    {
                        yield return call.Address;
                    }
                    yield return plan.Begin.Value;
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
            if(FollowsCalls)
            {
                Follow(pc);
            }
            else if(!IsOpen)
            {
                Open(pc);
            }
            else if(back == null || back.IsHere(pc))
            {
                Close();
            }
        }

        /// <summary>Open a window whose first instruction is at `pc`.</summary>
        public void Open(ulong pc)
        {
            isOpen = true;
            end = WholeRun ? null : plan.End;
            back = null;
            if(plan.Begin == pc && !plan.End.HasValue && !WholeRun)
            {
                back = new Return(core);
                end = back.Address;
            }
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

        /// <summary>Whether each call of a function is measured: they may be under way on several stacks.</summary>
        private bool FollowsCalls { get { return plan.Repeat && plan.Begin.HasValue && !plan.End.HasValue; } }

        /// <summary>
        /// Tell the harness that a call returns at `pc`, or begins. Which of them are windows it decides itself: it knows the tasks and
        /// the blocks before.
        /// </summary>
        private void Follow(ulong pc)
        {
            var ended = calls.FindIndex(x => x.IsHere(pc));
            if(ended >= 0)
            {
                calls.RemoveAt(ended);
                closed++;
                if(calls.Count > 0)
                {
                    blocks.Settle();
                }
                else
                {
                    blocks.Close();
                }
                channel.Send(new Answer('R').Word((uint)pc).Word((uint)core.SP.RawValue).Long(core.ExecutedInstructions));
            }
            if(pc != plan.Begin)
            {
                return;
            }
            blocks.Settle();
            var isFirst = calls.Count == 0;
            var call = new Return(core);
            if(!calls.Any(x => x.IsSame(call)))
            {
                calls.Add(call);
            }
            var onProcessStack = (core.Control.RawValue & ProcessStack) != 0 && (core.XProgramStatusRegister & ExceptionNumber) == 0;
            channel.Send(
                new Answer('G').Word((uint)pc).Word((uint)core.SP.RawValue).Long(core.ExecutedInstructions)
                    .Word((uint)call.Address).Byte(onProcessStack ? 1 : 0));
            if(isFirst)
            {
                blocks.Open();
            }
        }

        // Armv7-M Architecture Reference Manual (DDI 0403), B1.4.2 and B1.4.4.
        private const ulong ProcessStack = 1 << 1;
        private const uint ExceptionNumber = 0x1FF;
        private readonly List<Return> calls = new List<Return>();
        private readonly Plan plan;
        private readonly CoreBus bus;
        private readonly CortexM core;
        private readonly Channel channel;
        private readonly BlockStream blocks;
        private bool isOpen;
        private int closed;
        private ulong? end;
        private Return back;
        private ulong openedAt;
    }
}
