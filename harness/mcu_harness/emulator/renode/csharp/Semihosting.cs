// What a program asks of its host with `bkpt 0xab` (Arm IHI 0042): text, time and the end of the program; files are not
// served. The same answers as those of harness/mcu_harness/emulator/unicorn/semihosting.py: Renode itself knows only text.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Text;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Semihosting
    {
        /// <summary>`send` takes console output, `input` is what it can read; `stack` is the stack pointer at reset.</summary>
        public Semihosting(
            CoreBus bus, CortexM core, Plan plan, Action<byte> send, ConsoleInput input, uint stack)
        {
            this.bus = bus;
            this.core = core;
            this.plan = plan;
            this.send = send;
            this.input = input;
            this.stack = stack;
        }

        /// <summary>Whether the breakpoint at which the core stands is such a call.</summary>
        public bool IsAsked { get { return bus.ReadWord(core.PC.RawValue & ~1UL) == Breakpoint; } }

        /// <summary>
        /// Serve the call at which the core stands: `answer` belongs into r0. Returns the exit status when the program
        /// is over.
        /// </summary>
        public uint? Serve(out uint answer)
        {
            var operation = core.GetRegister(0).RawValue;
            var argument = core.GetRegister(1).RawValue;
            answer = 0;
            switch(operation)
            {
            case Exit:
                return argument == ApplicationExit ? 0u : 1u;
            case ExitExtended:
                var status = Field(argument, 1);
                return Field(argument, 0) == ApplicationExit || status != 0 ? status : 1u;
            case WriteCharacter:
                Send(argument, 1);
                break;
            case WriteText:
                SendText(argument);
                break;
            case Write:
                Send(Field(argument, 1), Math.Min(Field(argument, 2), MostText));
                break;
            case ReadCharacter:
                answer = input.Take();
                break;
            case Read:
                answer = ReadLine(Field(argument, 1), Field(argument, 2));
                break;
            case CommandLine:
                answer = EmptyCommandLine(argument);
                break;
            case HeapInfo:
                // The program's own linker symbols say where the heap is; the stack is where reset has put it.
                Store(Field(argument, 0), Words(0, 0, stack, 0));
                break;
            case Open:
                answer = Text(Field(argument, 0)) == ":tt" ? TheConsole : Failed;
                break;
            case Clock:
                answer = (uint)(core.ExecutedInstructions * 100 / plan.ClockHz);
                break;
            case Time:
                answer = (uint)(core.ExecutedInstructions / plan.ClockHz);
                break;
            case Elapsed:
                Store(argument, BitConverter.GetBytes(core.ExecutedInstructions));
                break;
            case TickFrequency:
                answer = (uint)plan.ClockHz;
                break;
            case IsTerminal:
                answer = 1;
                break;
            case CloseFile:
            case FileLength:
            case ErrorNumber:
                break;
            default:
                answer = Failed;
                break;
            }
            return null;
        }

        private void Send(ulong address, uint size)
        {
            if(size > 0 && IsMemory(address) && IsMemory(address + size - 1))
            {
                foreach(var character in bus.ReadBytes(address, (int)size))
                {
                    send(character);
                }
            }
        }

        private void SendText(ulong address)
        {
            foreach(var character in Characters(address))
            {
                send(character);
            }
        }

        private string Text(ulong address)
        {
            return Encoding.UTF8.GetString(new List<byte>(Characters(address)).ToArray());
        }

        private IEnumerable<byte> Characters(ulong address)
        {
            for(var i = 0u; i < MostText && IsMemory(address + i); i++)
            {
                var character = bus.ReadByte(address + i);
                if(character == 0)
                {
                    yield break;
                }
                yield return character;
            }
        }

        /// <summary>Returns how many bytes are missing of those wanted; a line is handed over at a time.</summary>
        private uint ReadLine(ulong buffer, uint wanted)
        {
            var line = new List<byte>();
            while(line.Count < wanted && input.Waiting && (line.Count == 0 || line[line.Count - 1] != '\n'))
            {
                line.Add(input.Take());
            }
            Store(buffer, line.ToArray());
            return wanted - (uint)line.Count;
        }

        private uint EmptyCommandLine(ulong argument)
        {
            var buffer = Field(argument, 0);
            if(Field(argument, 1) == 0 || !IsWritable(buffer) || !IsWritable(argument + 4))
            {
                return Failed;
            }
            Store(buffer, new byte[1]);
            Store(argument + 4, Words(0));
            return 0;
        }

        private void Store(ulong address, byte[] data)
        {
            if(data.Length > 0 && IsWritable(address) && IsWritable(address + (ulong)data.Length - 1))
            {
                bus.WriteBytes(data, address);
            }
        }

        private uint Field(ulong block, uint index)
        {
            var address = block + 4 * index;
            return IsMemory(address) && IsMemory(address + 3) ? bus.ReadDoubleWord(address) : 0;
        }

        private bool IsMemory(ulong address) { return bus.FindMemory(address) != null; }

        private bool IsWritable(ulong address)
        {
            return IsMemory(address)
                && !plan.Flash.Exists(x => address >= x.Address && address < x.Address + (ulong)x.Size);
        }

        private static byte[] Words(params uint[] values)
        {
            var bytes = new byte[4 * values.Length];
            Buffer.BlockCopy(values, 0, bytes, 0, bytes.Length);
            return bytes;
        }

        private const ushort Breakpoint = 0xBEAB;
        private const ulong Open = 0x01;
        private const ulong CloseFile = 0x02;
        private const ulong WriteCharacter = 0x03;
        private const ulong WriteText = 0x04;
        private const ulong Write = 0x05;
        private const ulong Read = 0x06;
        private const ulong ReadCharacter = 0x07;
        private const ulong IsTerminal = 0x09;
        private const ulong FileLength = 0x0C;
        private const ulong Clock = 0x10;
        private const ulong Time = 0x11;
        private const ulong ErrorNumber = 0x13;
        private const ulong CommandLine = 0x15;
        private const ulong HeapInfo = 0x16;
        private const ulong Exit = 0x18;
        private const ulong ExitExtended = 0x20;
        private const ulong Elapsed = 0x30;
        private const ulong TickFrequency = 0x31;
        private const ulong ApplicationExit = 0x20026;
        private const uint TheConsole = 1;
        private const uint Failed = uint.MaxValue;
        private const uint MostText = 1 << 16;
        private readonly CoreBus bus;
        private readonly CortexM core;
        private readonly Plan plan;
        private readonly Action<byte> send;
        private readonly ConsoleInput input;
        private readonly uint stack;
    }
}
