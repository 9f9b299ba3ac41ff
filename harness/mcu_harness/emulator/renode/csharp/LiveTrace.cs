// Accesses to memory of a live run, one by one, while the harness wants them: what the caches before slow memories make of a
// stretch depends on their order. The core then goes by blocks of one instruction, so that each access is known by its own.
namespace McuHarness
{
    using System;
    using Antmicro.Renode.Logging.Profiling;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class LiveTrace
    {
        /// <summary>Accesses go out before the blocks that made them, when `blocks` go.</summary>
        public LiveTrace(CortexM core, Channel channel, BlockStream blocks)
        {
            this.core = core;
            this.channel = channel;
            blocks.Flushing = Flush;
        }

        /// <summary>Begin or end it; not while the core runs.</summary>
        public void Switch(bool on)
        {
            if(on)
            {
                blockSize = core.MaximumBlockSize;
                AccessHook.Set(core, Accessed);
                core.MaximumBlockSize = 1; // this also has all code translated anew
            }
            else
            {
                AccessHook.Remove(core);
                core.MaximumBlockSize = blockSize;
                used = 0;
            }
        }

        private void Accessed(ulong pc, MemoryOperation operation, ulong address, ulong physical, uint width)
        {
            if(operation == MemoryOperation.InsnFetch)
            {
                return;
            }
            if(used == events.Length)
            {
                Flush();
            }
            var writes = operation == MemoryOperation.MemoryWrite || operation == MemoryOperation.MemoryIOWrite;
            events[used++] = (uint)pc | (writes ? 1u : 0u);
            events[used++] = (uint)address;
        }

        private void Flush()
        {
            if(used > 0)
            {
                var payload = new byte[4 + 4 * used];
                payload[0] = (byte)'A';
                Buffer.BlockCopy(events, 0, payload, 4, 4 * used);
                channel.SendRaw(payload, payload.Length);
                used = 0;
            }
        }

        private readonly CortexM core;
        private readonly Channel channel;
        private readonly uint[] events = new uint[1 << 16];
        private int used;
        private int blockSize;
    }
}
