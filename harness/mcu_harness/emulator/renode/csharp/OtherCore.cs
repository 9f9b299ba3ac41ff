// A core that is not measured, and runs beside the one that is.
namespace McuHarness
{
    using System.Collections.Generic;
    using Antmicro.Renode.Exceptions;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class OtherCore
    {
        /// <summary>`chunks` are put into memory at once, as the core sees it; its vector table is at `vectors`.</summary>
        public OtherCore(string name, CoreBus bus, CortexM core, uint vectors, IEnumerable<Chunk> chunks)
        {
            Name = name;
            Core = core;
            this.bus = bus;
            this.vectors = vectors;
            foreach(var chunk in chunks)
            {
                bus.WriteBytes(chunk.Data, chunk.Address);
            }
        }

        public readonly string Name;
        public readonly CortexM Core;

        /// <summary>Put it to its first instruction, from which it goes on when time passes.</summary>
        public void Start()
        {
            var start = new CoreStart(vectors, bus);
            if(!start.IsThere)
            {
                throw new RecoverableException(string.Format("{0} has no vector table at 0x{1:x8}", Name, vectors));
            }
            Core.VectorTableOffset = vectors;
            start.Put(Core);
            Core.IsHalted = false;
        }

        private readonly CoreBus bus;
        private readonly uint vectors;
    }
}
