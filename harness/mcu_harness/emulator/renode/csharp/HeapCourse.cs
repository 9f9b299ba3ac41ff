// Tells calls of the firmware's allocator when they have returned. Its functions call each other: within one, none begins.
namespace McuHarness
{
    using System.Collections.Generic;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class HeapCourse
    {
        public HeapCourse(CortexM core, Channel channel, Dictionary<ulong, HeapFunction> functions)
        {
            this.core = core;
            this.channel = channel;
            this.functions = functions;
        }

        public IEnumerable<ulong> Exits
        {
            get { return end == null ? (IEnumerable<ulong>)functions.Keys : new[] { end.Address }; }
        }

        /// <summary>The core is at `pc`, one of the exits.</summary>
        public void At(ulong pc)
        {
            if(end == null)
            {
                var function = functions[pc];
                end = new Return(core);
                call = new Answer('A').Byte(function.Does).Word(Register(function.First)).Word(Register(function.First + 1));
            }
            else if(end.IsHere(pc))
            {
                end = null;
                channel.Send(call.Word(Register(0)).Long(core.ExecutedInstructions));
            }
        }

        private uint Register(int number) { return (uint)core.GetRegister(number).RawValue; }

        private readonly CortexM core;
        private readonly Channel channel;
        private readonly Dictionary<ulong, HeapFunction> functions;
        private Return end;
        private Answer call;
    }
}
