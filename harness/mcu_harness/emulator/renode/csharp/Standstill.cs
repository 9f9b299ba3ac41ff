// Finds a program that goes round a loop in which nothing changes any more: before some block, core and memory are what they
// were when the same block had begun before. Devices may still change with the time, so it has to be seen again and again, for
// a stretch of virtual time without a single exception.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Diagnostics;
    using System.Linq;
    using System.Threading;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Standstill
    {
        /// <summary>`found()` is called, on a thread of its own, once it is certain enough.</summary>
        public Standstill(
            CortexM core, CoreBus bus, BlockStream blocks, Exceptions exceptions, Dialogue dialogue, Platform platform,
            Action found)
        {
            this.core = core;
            this.blocks = blocks;
            this.bus = bus;
            this.exceptions = exceptions;
            this.dialogue = dialogue;
            this.platform = platform;
            this.found = found;
            microseconds = platform.Others.Count > 0 ? MicrosecondsOfSeveral : Microseconds;
            blocks.Before += (address, instructions) => BeforeBlock(address);
        }

        /// <summary>The block at `address` is about to be executed.</summary>
        private void BeforeBlock(ulong address)
        {
            var begun = blocks.Begun;
            if(begun < next)
            {
                return;
            }
            if(registers == null)
            {
                place = address;
                registers = Registers();
                memory = null;
                next = begun;
            }
            else if(address == place && Registers().SequenceEqual(registers))
            {
                var now = Memory();
                if(memory != null && now.SequenceEqual(memory))
                {
                    LookAgainLater(begun);
                    Same();
                    return;
                }
                memory = now;
            }
            if(begun - next > MostBlocks)
            {
                LookAgainLater(begun);
                isSame = false;
                return;
            }
            blocks.Ask();
        }

        private void LookAgainLater(long begun)
        {
            next = begun + Apart;
            registers = null;
        }

        private void Same()
        {
            var taken = exceptions == null ? 0 : exceptions.Taken;
            var sent = platform.Sent;
            if(!isSame || taken != takenBefore || sent != sentBefore || dialogue.Input.Waiting)
            {
                isSame = true;
                takenBefore = taken;
                sentBefore = sent;
                since = core.ExecutedInstructions;
                processorBefore = Processor;
                return;
            }
            if(core.ExecutedInstructions - since > core.PerformanceInMips * microseconds || (Processor - processorBefore).TotalSeconds > Seconds)
            {
                next = long.MaxValue;
                ThreadPool.QueueUserWorkItem(x => found()); // here the core must be left alone
            }
        }

        /// <summary>What this process has taken of the machine: how busy that is besides must not matter.</summary>
        private static TimeSpan Processor { get { return Process.GetCurrentProcess().TotalProcessorTime; } }

        private List<ulong> Registers()
        {
            var values = Enumerable.Range(0, 15).Select(x => core.GetRegister(x).RawValue).ToList();
            values.Add(core.XProgramStatusRegister);
            return values;
        }

        /// <summary>The memories that registers point into, the stack's among them.</summary>
        private List<byte> Memory()
        {
            var starts = new HashSet<ulong>();
            var bytes = new List<byte>();
            foreach(var value in registers)
            {
                var found = bus.FindMemory(value);
                if(found == null || !starts.Add(found.RegistrationPoint.Range.StartAddress))
                {
                    continue;
                }
                var range = found.RegistrationPoint.Range;
                bytes.AddRange(bus.ReadBytes(range.StartAddress, (int)Math.Min(range.Size, MostBytes)));
            }
            return bytes;
        }

        // Blocks from look to look at least, and of a loop at most; what is compared of one memory; virtual time in microseconds.
        private const long Apart = 1 << 18;
        private const long MostBlocks = 500;
        private const ulong MostBytes = 1 << 20;
        private const ulong Microseconds = 250 * 1000;
        private const ulong MicrosecondsOfSeveral = 30 * 1000 * 1000; // what it waits for may be the work of another core
        // Of processor time: a loop that asks a device which nobody models gets through a fifth of a million instructions a second.
        private const double Seconds = 60;
        private readonly CortexM core;
        private readonly CoreBus bus;
        private readonly BlockStream blocks;
        private readonly Exceptions exceptions;
        private readonly Dialogue dialogue;
        private readonly Platform platform;
        private readonly Action found;
        private readonly ulong microseconds;
        private long next = Apart;
        private ulong place;
        private List<ulong> registers;
        private List<byte> memory;
        private bool isSame;
        private int takenBefore;
        private int sentBefore;
        private TimeSpan processorBefore;
        private ulong since;
    }
}
