// Executed blocks on their way out, in bulk: the entries of the block log (address, instructions before it). What happens between
// two blocks (`Event`) is two entries: an address, marked by bit 0, with the event, and 0 with what is known of it.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    /// <summary>What can happen between blocks; the numbers are those of blocks.py.</summary>
    internal enum Event : uint
    {
        /// <summary>An exception is taken, at that address and with that stack pointer.</summary>
        Enter = 0,
        EnterWithFloats = 1,
        /// <summary>An exception returns, to that address and stack pointer.</summary>
        Leave = 2,
        /// <summary>The last block has ended, with so many instructions executed.</summary>
        Close = 3,
    }

    internal sealed class BlockStream
    {
        /// <summary>Record in `core`. The harness has the code in `known`, and is told all other code.</summary>
        public BlockStream(CoreBus bus, CortexM core, Channel channel, Area known)
        {
            knownStart = known.Address;
            knownEnd = known.Address + (ulong)known.Size;
            this.bus = bus;
            this.core = core;
            this.channel = channel;
            log = new BlockLog(core, known, Reached);
        }

        /// <summary>
        /// Called before a block with its address and number of instructions, whether it counts or not: before the next when that was
        /// asked for (`Ask`) or watched for (`Watch`), and now and then.
        /// </summary>
        public event Action<ulong, uint> Before;

        /// <summary>Called before blocks are sent.</summary>
        public Action Flushing = delegate {};

        /// <summary>How many blocks have begun, more or less: some more than were executed.</summary>
        public long Begun { get { return begun + log.Used; } }

        /// <summary>Whether the stack pointer can be seen at each block, and where it is then.</summary>
        public bool SeesPointer { get { return log.SeesPointer; } }

        public uint StackPointer { get { return log.StackPointer; } }

        /// <summary>Have `Before` called where a call may be off its stack, see `BlockLog.Watch`; until `Ignore`.</summary>
        public void Watch(ulong pointer, ulong end, Area caller) { log.Watch(pointer, end, caller); }

        public void Ignore() { log.Ignore(); }

        /// <summary>Have `Before` called before the next block.</summary>
        public void Ask() { log.Ask(); }

        /// <summary>Blocks that begin from now on count.</summary>
        public void Open()
        {
            Drop();
            open = true;
        }

        /// <summary>Send `what` has happened, after the blocks so far, whether they count or not.</summary>
        public void Tell(Event what, ulong address, ulong stack)
        {
            Drop();
            log.Add((uint)address | EventMark, (uint)what);
            log.Add(0, (uint)stack);
            kept = log.Used;
            if(log.Full)
            {
                Flush();
            }
        }

        /// <summary>Send what is there, to where the core is: the last block has ended.</summary>
        public void Settle()
        {
            if(open)
            {
                Tell(Event.Close, 0, core.ExecutedInstructions);
            }
            Flush();
        }

        /// <summary>Stop counting and send what is there.</summary>
        public void Close()
        {
            Settle();
            open = false;
            if(log.Failed != null)
            {
                throw new InvalidOperationException("blocks were not recorded", log.Failed);
            }
        }

        /// <summary>Send what is there.</summary>
        public void Flush()
        {
            Flushing();
            Drop();
            if(log.Used > 0)
            {
                begun += log.Used;
                kept = 0;
                log.Send(channel, 'B');
            }
        }

        private void Reached(ulong address, uint instructions)
        {
            // Its own entry comes after all that is done before it.
            var executed = log.TakeOff();
            if(address < knownStart || address >= knownEnd)
            {
                log.Knows(address, instructions);
                SendCode(address, instructions);
            }
            if(Before != null)
            {
                Before(address, instructions);
            }
            log.Add((uint)address, executed);
            if(log.Full)
            {
                Flush();
            }
        }

        /// <summary>Forget the blocks that do not count.</summary>
        private void Drop()
        {
            if(!open)
            {
                begun += log.Used - kept;
                log.Used = kept;
            }
        }

        /// <summary>Code that is not where the program was loaded: what it has copied to RAM, a boot ROM, an alias.</summary>
        private void SendCode(ulong address, uint instructions)
        {
            var memory = sent.Add(address << 32 | instructions) ? bus.FindMemory(address) : null;
            if(memory == null)
            {
                return;
            }
            var end = Math.Min(address + instructions * MostBytesOfInstruction, memory.RegistrationPoint.Range.EndAddress + 1);
            channel.Send(new Answer('C').Word((uint)address).Bytes(bus.ReadBytes(address, (int)(end - address))));
        }

        private const uint EventMark = 1;
        private const uint MostBytesOfInstruction = 4;
        private readonly CoreBus bus;
        private readonly CortexM core;
        private readonly ulong knownStart;
        private readonly ulong knownEnd;
        private readonly BlockLog log;
        private readonly Channel channel;
        private readonly HashSet<ulong> sent = new HashSet<ulong>();
        private long begun;
        private int kept;
        private bool open;
    }
}
