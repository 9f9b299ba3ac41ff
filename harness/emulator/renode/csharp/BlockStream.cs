// Executed blocks on their way out, in bulk: a record is two 32-bit words, address and number of instructions.
namespace McuHarness
{
    using System;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class BlockStream
    {
        public BlockStream(CortexM core, Channel channel)
        {
            this.core = core;
            this.channel = channel;
            core.SetHookAtBlockEnd(OnBlock);
        }

        /// <summary>Blocks that end from now on count; everything executed so far does not.</summary>
        public void Open()
        {
            counted = core.ExecutedInstructions;
            open = true;
        }

        /// <summary>Stop counting and send what is there.</summary>
        public void Close()
        {
            open = false;
            Flush();
        }

        private void OnBlock(ulong address, uint instructions)
        {
            if(!open)
            {
                return;
            }
            if(instructions == uint.MaxValue)
            {
                // The block was left in its middle (an exception, a hook): Renode names the address where it was
                // left instead of the one where it began, marked by bit 0, and leaves the number to us.
                instructions = (uint)(core.ExecutedInstructions - counted);
                address |= 1;
            }
            if(instructions == 0)
            {
                return;
            }
            counted += instructions;
            buffer[used++] = (uint)address;
            buffer[used++] = instructions;
            if(used == buffer.Length)
            {
                Flush();
            }
        }

        private void Flush()
        {
            if(used == 0)
            {
                return;
            }
            var payload = new byte[4 + 4 * used];
            payload[0] = (byte)'B';
            Buffer.BlockCopy(buffer, 0, payload, 4, 4 * used);
            channel.SendRaw(payload);
            used = 0;
        }

        private readonly CortexM core;
        private readonly Channel channel;
        private readonly uint[] buffer = new uint[1 << 17];
        private int used;
        private bool open;
        private ulong counted;
    }
}
