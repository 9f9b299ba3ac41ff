// A machine made from a platform description, with what the harness needs to find in it.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using System.Text;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Exceptions;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Peripherals.UART;
    using Antmicro.Renode.PlatformDescription.UserInterface;
    using Antmicro.Renode.Time;
    using Antmicro.Renode.UserInterface;
    using Antmicro.Renode.Utilities;
    using Monitor = Antmicro.Renode.UserInterface.Monitor;

    /// <summary>A core of that name is wanted, "" where none was, and these are there.</summary>
    internal sealed class NoSuchCoreException : Exception
    {
        public NoSuchCoreException(string name, string there)
        {
            Name = name;
            There = there;
        }

        public readonly string Name;
        public readonly string There;
    }

    internal sealed class Platform
    {
        /// <summary>Throw away the last machine and make a new one: no run can leave anything behind for the next.</summary>
        public Platform(Request request)
        {
            EmulationManager.Instance.Clear();
            if(++made % PlatformsBetweenCollections == 0)
            {
                // Left alone, the runtime lets old machines pile up to more than a gigabyte.
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            Log = LogWatch.Renew();
            var emulation = EmulationManager.Instance.CurrentEmulation;
            Machine = new Machine();
            emulation.AddMachine(Machine, "board");
            var monitor = ObjectCreator.Instance.GetSurrogate<Monitor>();
            monitor.Machine = Machine;
            Load(monitor, request.Text());
            var count = request.Word();
            for(var i = 0u; i < count; i++)
            {
                Include(monitor, request.Flag(), request.Text());
            }
            Core = FindCore(request.Text());
            Bus = new CoreBus(Machine.SystemBus, Core);
            count = request.Word();
            for(var i = 0u; i < count; i++)
            {
                var name = request.Text();
                var other = FindCore(name);
                if(other == Core)
                {
                    throw new RecoverableException(name + " is the core under test, and cannot run beside it");
                }
                Others.Add(new OtherCore(name, new CoreBus(Machine.SystemBus, other), other, request.Word(), Plan.ReadChunks(request)));
            }
            Core.PerformanceInMips = request.Word();
            ListenTo(request.Text());
            count = request.Word();
            for(var i = 0u; i < count; i++)
            {
                Guards.AddRange(Guard.Fill(Machine, request.Long(), request.Long()));
            }
        }

        public readonly Machine Machine;
        public readonly CortexM Core;
        /// <summary>The bus as the core under test sees it.</summary>
        public readonly CoreBus Bus;
        /// <summary>The cores that run beside it; those that are not among them stand still.</summary>
        public readonly List<OtherCore> Others = new List<OtherCore>();
        public readonly List<Guard> Guards = new List<Guard>();
        public readonly LogWatch Log;

        /// <summary>The UART that carries the program's text, null without one.</summary>
        public IUART Console { get; private set; }

        /// <summary>Called with every byte that the program writes to its console.</summary>
        public Action<byte> Heard;

        /// <summary>Have the other cores begin their programs.</summary>
        public void StartOthers()
        {
            foreach(var other in Others)
            {
                other.Start();
            }
        }

        /// <summary>
        /// Time passes as fast as can be, in steps of `quantum`. With several cores it is Renode's own quantum, or what a script has set, and
        /// in it one core runs after the other: all together would meet where the machine's processors have them meet.
        /// </summary>
        public void SetQuantum(TimeInterval quantum)
        {
            foreach(var source in new TimeSourceBase[]
            {
                EmulationManager.Instance.CurrentEmulation.MasterTimeSource, (TimeSourceBase)Machine.LocalTimeSource,
            })
            {
                source.AdvanceImmediately = true;
                if(Others.Count > 0)
                {
                    source.ExecuteInSerial = true;
                }
                else
                {
                    source.Quantum = quantum;
                }
            }
        }

        /// <summary>What the console UART has sent, from the start up to a limit.</summary>
        public byte[] ConsoleText()
        {
            lock(console)
            {
                return console.ToArray();
            }
        }

        /// <summary>How many bytes the program has sent to its console.</summary>
        public int Sent { get; private set; }

        /// <summary>Add a byte to the console's text.</summary>
        public void Send(byte value)
        {
            Sent++;
            lock(console)
            {
                if(console.Count < ConsoleLimit)
                {
                    console.Add(value);
                }
            }
            if(Heard != null)
            {
                Heard(value);
            }
        }

        private void Include(Monitor monitor, bool isScript, string path)
        {
            if(!isScript)
            {
                Load(monitor, path);
                return;
            }
            var output = new CommandInteractionEater();
            monitor.Interaction = output;
            // A failing command leaves an error behind, even where the script as a whole is said to have worked.
            var done = monitor.TryExecuteScript(path, output);
            var errors = Errors(output);
            if(!done || errors != "")
            {
                throw new RecoverableException(path + ": " + errors);
            }
            if(EmulationManager.Instance.CurrentEmulation.IsStarted)
            {
                throw new RecoverableException(path + ": it starts the emulation, which is for the harness to do");
            }
        }

        private void Load(Monitor monitor, string path)
        {
            var output = new CommandInteractionEater();
            monitor.Interaction = output;
            Machine.LoadPlatformDescription(path);
            var errors = Errors(output);
            if(errors != "")
            {
                throw new RecoverableException(path + ": " + errors);
            }
        }

        private static string Errors(CommandInteractionEater output)
        {
            return string.Join("; ", output.GetError().Split('\n').Select(x => x.Trim())
                .Where(x => x != "" && !x.StartsWith(DownloadFailed)));
        }

        /// <summary>The core called `name`, without one the only one; no core of the platform runs yet.</summary>
        private CortexM FindCore(string name)
        {
            var all = Machine.SystemBus.GetCPUs().ToList();
            var cores = all.OfType<CortexM>().ToDictionary(NameOf);
            if(cores.Count == 0)
            {
                throw new RecoverableException("the platform has no Cortex-M core");
            }
            if(name == "" ? cores.Count > 1 : !cores.ContainsKey(name))
            {
                throw new NoSuchCoreException(name, string.Join(", ", cores.Keys));
            }
            var core = name == "" ? cores.Values.Single() : cores[name];
            foreach(var other in all.Where(x => x != (Core ?? core)))
            {
                other.IsHalted = true;
            }
            return core;
        }

        private string NameOf(CortexM core)
        {
            string name;
            return Machine.TryGetAnyName(core, out name) ? name.Substring(name.IndexOf('.') + 1) : "";
        }

        private void ListenTo(string path)
        {
            if(path == "")
            {
                return;
            }
            IUART uart;
            if(!Machine.TryGetByName(path, out uart))
            {
                throw new RecoverableException("the platform has no UART " + path);
            }
            uart.CharReceived += Send;
            Console = uart;
        }

        // Register names for the log, which stock descriptions get from the network; the platform works without.
        private const string DownloadFailed = "Failed to download";
        private const int PlatformsBetweenCollections = 10;
        private const int ConsoleLimit = 1 << 20;
        private static int made;
        private readonly List<byte> console = new List<byte>();
    }
}
