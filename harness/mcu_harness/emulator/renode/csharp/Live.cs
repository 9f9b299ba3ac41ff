// A live run: it goes as far as it is told, and is looked at and changed in between. The other side is renode/live_link.py.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Exceptions;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Peripherals.UART;
    using Antmicro.Renode.UserInterface;
    using Antmicro.Renode.Utilities;
    using Monitor = Antmicro.Renode.UserInterface.Monitor;

    internal sealed class Live
    {
        /// <summary>The program stands at its first instruction.</summary>
        public Live(Platform platform, Channel channel, Request request)
        {
            if(platform == null)
            {
                throw new InvalidOperationException("no platform");
            }
            this.platform = platform;
            this.channel = channel;
            core = platform.Core;
            bus = platform.Bus;
            plan = new Plan(request);
            foreach(var chunk in plan.Load)
            {
                bus.WriteBytes(chunk.Data, chunk.Address);
            }
            inputs.Add(new ConsoleInput(platform, plan.Input));
            blocks = new BlockStream(bus, core, channel, plan.Code);
            drive = new LiveDrive(platform, channel, plan, blocks);
            trace = new LiveTrace(core, channel, blocks);
            start = new CoreStart(plan, bus);
            var exceptions = new Exceptions(bus, core, blocks);
            var semihosting = new Semihosting(bus, core, plan, platform.Send, inputs[0], start.Stack);
            platform.Heard = value => Hear(0, value);
            new CoreWatch(platform, exceptions, semihosting, () => drive.Stopped, drive.End) { Aborted = drive.Lose }.Begin();
            Restart();
        }

        /// <summary>Do what is asked, and answer.</summary>
        public void Serve(Request request)
        {
            switch(request.Kind)
            {
            case 'g':
                drive.Go(request);
                break;
            case 'n':
                drive.Step();
                break;
            case 'm':
                var address = request.Long();
                channel.Send(new Answer('M').Bytes(Read(address, checked((int)request.Word()))));
                break;
            case 'w':
                var place = request.Long();
                Write(place, request.Bytes());
                channel.Send(new Answer('K'));
                break;
            case 'r':
                channel.Send(new Answer('R').Registers(core, bus, drive.At));
                break;
            case 's':
                var number = checked((int)request.Word());
                var width = request.Word();
                SetRegister(number, RegisterValue.Create(request.Long(), width));
                channel.Send(new Answer('K'));
                break;
            case 'c':
                var registers = core.GetRegisters().Where(x => x.Index != ProgramCounter).ToList();
                var saved = new Answer('V').Word((uint)registers.Count);
                foreach(var register in registers)
                {
                    saved.Word((uint)register.Index).Word((uint)register.Width).Long(core.GetRegister(register.Index).RawValue);
                }
                channel.Send(saved);
                break;
            case 'l':
                channel.Send(new Answer('L').Byte(Listen(request.Word(), request.Address()) ? 1 : 0));
                break;
            case 'i':
                inputs[checked((int)request.Word())].Add(request.Bytes());
                channel.Send(new Answer('K'));
                break;
            case 'u':
                channel.Send(new Answer('M').Bytes(inputs[checked((int)request.Word())].Unread));
                break;
            case 'x':
                platform.Machine.Reset();
                Restart();
                channel.Send(new Answer('K'));
                break;
            case 'q':
                channel.Send(new Answer('M').Text(Command(request.Text())));
                break;
            case 'h':
                drive.Watch(request.Word(), request.Word());
                channel.Send(new Answer('K'));
                break;
            case 't':
                trace.Switch(request.Flag());
                channel.Send(new Answer('K'));
                break;
            case 'd':
                LiveDevice.Attach(platform, request.Word(), request.Word(), request.Word(), Access);
                channel.Send(new Answer('K'));
                break;
            default:
                throw new InvalidOperationException("unknown request " + request.Kind);
            }
        }

        private byte[] Read(ulong address, int size)
        {
            if(IsDevice(address, size))
            {
                var value = size == 4 ? bus.ReadDoubleWord(address) : size == 2 ? bus.ReadWord(address) : bus.ReadByte(address);
                return BitConverter.GetBytes(value).Take(size).ToArray();
            }
            return bus.ReadBytes(address, size);
        }

        private void Write(ulong address, byte[] data)
        {
            if(!IsDevice(address, data.Length))
            {
                bus.WriteBytes(data, address);
            }
            else if(data.Length == 4)
            {
                bus.WriteDoubleWord(address, BitConverter.ToUInt32(data, 0));
            }
            else if(data.Length == 2)
            {
                bus.WriteWord(address, BitConverter.ToUInt16(data, 0));
            }
            else
            {
                bus.WriteByte(address, data[0]);
            }
        }

        /// <summary>Whether a device's register is there, and not memory; one of them has to be.</summary>
        private bool IsDevice(ulong address, int size)
        {
            if(size == 0 || (bus.FindMemory(address) != null && bus.FindMemory(address + (ulong)size - 1) != null))
            {
                return false;
            }
            var there = bus.WhatPeripheralIsAt(address);
            if(there == null || there is Guard || (size != 1 && size != 2 && size != 4))
            {
                throw new RecoverableException(string.Format("no memory at 0x{0:x8}..0x{1:x8}", address, address + (ulong)size - 1));
            }
            return true;
        }

        private void Restart()
        {
            core.VectorTableOffset = plan.Vectors;
            if(!start.IsThere)
            {
                throw new InvalidOperationException("no vector table");
            }
            start.Put(core);
            platform.StartOthers();
            drive.StandAt(start.First & ~1u);
        }

        private void SetRegister(int number, RegisterValue value)
        {
            if(number == ProgramCounter)
            {
                core.PC = value.RawValue | 1;
                drive.StandAt(value.RawValue & ~1UL);
            }
            else
            {
                core.SetRegister(number, value);
            }
        }

        /// <summary>Tell what the UART at `start` sends, under the next number; false when there is none.</summary>
        private bool Listen(ulong start, ulong? register)
        {
            var uart = bus.WhatPeripheralIsAt(start) as IUART;
            if(uart == null)
            {
                return false;
            }
            var number = inputs.Count;
            inputs.Add(new ConsoleInput(platform, uart, register));
            uart.CharReceived += value => Hear(number, value);
            return true;
        }

        private void Hear(int uart, byte value)
        {
            Ask(new Answer('T').Long(drive.Now).Word((uint)uart).Byte(value));
        }

        private uint Access(uint device, uint offset, int size, bool write, uint value)
        {
            return Ask(new Answer('D').Long(drive.Now).Word(device).Word(offset).Byte(size).Byte(write ? 1 : 0).Word(value));
        }

        /// <summary>Have the harness answer, which may ask for other things before it does, and have the program stop.</summary>
        private uint Ask(Answer question)
        {
            channel.Send(question);
            while(true)
            {
                var request = channel.Next();
                if(request.Kind == 'a')
                {
                    if(request.Flag())
                    {
                        drive.Ask();
                    }
                    return request.Word();
                }
                Commands.Serve(channel, request, Serve);
            }
        }

        private string Command(string command)
        {
            var monitor = ObjectCreator.Instance.GetSurrogate<Monitor>();
            var output = new CommandInteractionEater();
            monitor.Interaction = output;
            var done = monitor.Parse(command, output);
            var errors = output.GetError().Trim();
            if(!done || errors != "")
            {
                throw new RecoverableException(errors == "" ? command : errors);
            }
            return output.GetContents();
        }

        private const int ProgramCounter = 15;
        private readonly Platform platform;
        private readonly Channel channel;
        private readonly CortexM core;
        private readonly CoreBus bus;
        private readonly Plan plan;
        private readonly List<ConsoleInput> inputs = new List<ConsoleInput>(); // the console's first
        private readonly BlockStream blocks;
        private readonly LiveDrive drive;
        private readonly LiveTrace trace;
        private readonly CoreStart start;
    }
}
