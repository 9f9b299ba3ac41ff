// Executed blocks on their way out, in bulk: a record is two 32-bit words, address and number of instructions. What happens
// between two blocks (`Event`) is two records: an address with the event instead of the number, and the stack pointer.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    /// <summary>What can happen between blocks; the numbers are those of blocks.py, and more than a block has instructions.</summary>
    internal enum Event : uint
    {
        Enter = 0xFFFFFFF0,
        EnterWithFloats = 0xFFFFFFF1,
        Leave = 0xFFFFFFF2,
    }

    internal sealed class BlockStream
    {
        /// <summary>
        /// Record in `core`. The harness has the code in `known`, and is told all other code. `afterBlock`, null for
        /// nothing, is called after each block, whether it counts or not; it may halt the core.
        /// </summary>
        public BlockStream(IBusController bus, CortexM core, Channel channel, Area known, Action afterBlock)
        {
            knownStart = known.Address;
            knownEnd = known.Address + (ulong)known.Size;
            this.bus = bus;
            this.core = core;
            this.channel = channel;
            if(afterBlock == null)
            {
                hook = BlockHook.Set(core, OnBlock);
            }
            else
            {
                core.SetHookAtBlockEnd((address, instructions) =>
                {
                    OnBlock(address, instructions);
                    afterBlock();
                });
            }
        }

        /// <summary>Called before blocks are sent.</summary>
        public Action Flushing = delegate {};

        /// <summary>Called after each block with its address, whether it counts or not; it must leave the core alone.</summary>
        public Action<ulong> Look;

        /// <summary>Blocks that end from now on count; everything executed so far does not.</summary>
        public void Open()
        {
            counted = core.ExecutedInstructions;
            open = true;
        }

        /// <summary>Send `what` has happened, after the blocks so far, whether they count or not.</summary>
        public void Tell(Event what, ulong address, ulong stack)
        {
            buffer[used++] = (uint)address;
            buffer[used++] = (uint)what;
            buffer[used++] = (uint)stack;
            buffer[used++] = 0;
            FlushWhenFull();
        }

        /// <summary>Stop counting and send what is there.</summary>
        public void Close()
        {
            open = false;
            Flush();
            if(hook != null && hook.Failed != null)
            {
                throw new InvalidOperationException("blocks were not recorded", hook.Failed);
            }
        }

        private void OnBlock(ulong address, uint instructions)
        {
            if(Look != null)
            {
                Look(address);
            }
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
            if(address < knownStart || address >= knownEnd)
            {
                SendCode(address, instructions);
            }
            buffer[used++] = (uint)address;
            buffer[used++] = instructions;
            FlushWhenFull();
        }

        /// <summary>Code that is not where the program was loaded: what it has copied to RAM, a boot ROM, an alias.</summary>
        private void SendCode(ulong address, uint instructions)
        {
            if(!sent.Add(address << 32 | instructions))
            {
                return;
            }
            var size = instructions * MostBytesOfInstruction;
            var start = (address & 1) == 0 ? address : address - 1 - size;
            var memory = bus.FindMemory(start);
            if(memory == null)
            {
                return;
            }
            var end = Math.Min(start + size, memory.RegistrationPoint.Range.EndAddress + 1);
            channel.Send(new Answer('C').Word((uint)start).Bytes(bus.ReadBytes(start, (int)(end - start))));
        }

        private void FlushWhenFull()
        {
            if(used > buffer.Length - WordsOfEvent)
            {
                Flush();
            }
        }

        /// <summary>Send what is there.</summary>
        public void Flush()
        {
            Flushing();
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

        private const uint MostBytesOfInstruction = 4;
        private const int WordsOfEvent = 4;
        private readonly IBusController bus;
        private readonly CortexM core;
        private readonly ulong knownStart;
        private readonly ulong knownEnd;
        private readonly BlockHook hook;
        private readonly HashSet<ulong> sent = new HashSet<ulong>();
        private readonly Channel channel;
        private readonly uint[] buffer = new uint[1 << 17];
        private int used;
        private bool open;
        private ulong counted;
    }
}
