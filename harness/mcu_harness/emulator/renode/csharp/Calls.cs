// The calls of the function whose calls are measured: when one begins, returns, or is off its stack. Which of them are windows the
// harness decides, which knows the blocks before.
namespace McuHarness
{
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Calls
    {
        public Calls(Plan plan, CortexM core, Channel channel, BlockStream blocks, Exceptions exceptions)
        {
            this.plan = plan;
            this.core = core;
            this.channel = channel;
            this.blocks = blocks;
            this.exceptions = exceptions;
            exceptions.Switched = Watch;
            blocks.Before += Look;
        }

        /// <summary>Whether one is under way, as far as is known here.</summary>
        public bool IsOpen { get { return calls.Count > 0; } }

        /// <summary>Whether one has ended that was inside of no other.</summary>
        public bool HaveEnded { get; private set; }

        /// <summary>Where to stop next.</summary>
        public IEnumerable<ulong> Exits
        {
            get { return calls.Select(x => x.End).Concat(new[] { plan.Begin.Value }); }
        }

        /// <summary>The core is at `pc`, one of `Exits`.</summary>
        public void At(ulong pc)
        {
            var stack = core.SP.RawValue;
            var ended = calls.Find(x => x.End == pc && x.Pointer == stack);
            if(ended != null)
            {
                Forget(ended);
                Tell('R', pc, stack);
            }
            if(pc == plan.Begin)
            {
                Begin(pc, stack);
            }
            Watch(OnProcessStack);
        }

        private void Begin(ulong pc, ulong stack)
        {
            blocks.Settle();
            var isFirst = calls.Count == 0;
            var link = (ulong)core.GetRegister(LinkRegister).RawValue;
            var call = new Call { End = link & ~1UL, Pointer = stack, Task = CurrentTask(OnProcessStack), StackEnd = StackEnd(stack) };
            if(!calls.Any(x => x.IsOnStackOf(call) && x.Pointer == stack && x.End == call.End))
            {
                calls.RemoveAll(x => x.IsOnStackOf(call) && x.Pointer <= stack);
                calls.Add(call);
            }
            channel.Send(
                new Answer('G').Word((uint)pc).Word((uint)stack).Long(core.ExecutedInstructions).Word((uint)link)
                    .Byte(OnProcessStack ? 1 : 0).Byte(blocks.SeesPointer ? 1 : 0));
            if(isFirst)
            {
                blocks.Open();
            }
        }

        /// <summary>Whatever stack is in use, watch the outermost call on it.</summary>
        private void Watch(bool onProcessStack)
        {
            var task = CurrentTask(onProcessStack);
            watched = calls.Where(x => x.Task == task).OrderByDescending(x => x.Pointer).FirstOrDefault();
            if(watched == null)
            {
                blocks.Ignore();
                return;
            }
            caller = Area.Find(plan.Functions, watched.End);
            blocks.Watch(watched.Pointer, watched.StackEnd, caller);
        }

        /// <summary>
        /// Before a block at `address`: whether the watched call is off the stack, the pointer being above its frame, or the same in the middle
        /// of its caller. Where it returns to, it has returned.
        /// </summary>
        private void Look(ulong address, uint instructions)
        {
            if(watched == null || !blocks.SeesPointer)
            {
                return;
            }
            var stack = (ulong)blocks.StackPointer;
            if(stack < watched.Pointer || stack > watched.StackEnd)
            {
                return;
            }
            if(stack == watched.Pointer && (address == watched.End || address == caller.Address || !caller.Holds(address)))
            {
                return;
            }
            var left = watched;
            Forget(left);
            Tell('L', left.End, left.Pointer);
            Watch(OnProcessStack);
        }

        /// <summary>`call` is over, and those deeper on its stack are.</summary>
        private void Forget(Call call)
        {
            HaveEnded |= call == watched;
            calls.RemoveAll(x => x == call || (x.IsOnStackOf(call) && x.Pointer < call.Pointer));
        }

        private void Tell(char kind, ulong end, ulong stack)
        {
            if(calls.Count > 0)
            {
                blocks.Settle();
            }
            else
            {
                blocks.Close();
            }
            channel.Send(new Answer(kind).Word((uint)end).Word((uint)stack).Long(core.ExecutedInstructions));
        }

        private int CurrentTask(bool onProcessStack) { return onProcessStack ? exceptions.Task : MainStack; }

        private bool OnProcessStack
        {
            get { return (core.Control.RawValue & ProcessStack) != 0 && (core.XProgramStatusRegister & ExceptionNumber) == 0; }
        }

        /// <summary>Where the stack ends at the latest that `pointer` is in, as in stacks.py.</summary>
        private ulong StackEnd(ulong pointer)
        {
            if(pointer >= plan.Stack.Address && pointer <= plan.Stack.End)
            {
                return plan.Stack.End;
            }
            var array = Area.Find(plan.Arrays, pointer - 1);
            var holder = array.Size > 0 ? array : plan.Memories.FirstOrDefault(x => x.Holds(pointer - 1));
            return holder.Size > 0 ? holder.End : pointer;
        }

        private sealed class Call
        {
            public ulong End;
            public ulong Pointer;
            public ulong StackEnd;
            public int Task;

            public bool IsOnStackOf(Call other) { return Task == other.Task && StackEnd == other.StackEnd; }
        }

        // Armv7-M Architecture Reference Manual (DDI 0403), B1.4.2 and B1.4.4.
        private const ulong ProcessStack = 1 << 1;
        private const uint ExceptionNumber = 0x1FF;
        private const int LinkRegister = 14;
        private const int MainStack = -1;
        private readonly List<Call> calls = new List<Call>();
        private readonly Plan plan;
        private readonly CortexM core;
        private readonly Channel channel;
        private readonly BlockStream blocks;
        private readonly Exceptions exceptions;
        private Call watched;
        private Area caller;
    }
}
