// What a run has to do, as the harness sent it. The order of the fields is that of protocol.py.
namespace McuHarness
{
    using System.Collections.Generic;

    /// <summary>Bytes at an address.</summary>
    internal struct Chunk
    {
        public ulong Address;
        public byte[] Data;
    }

    /// <summary>An area of memory.</summary>
    internal struct Area
    {
        public ulong Address;
        public int Size;

        public bool Holds(ulong address) { return address >= Address && address - Address < (ulong)Size; }

        public ulong End { get { return Address + (ulong)Size; } }

        /// <summary>Which of `sorted` holds `address`; an empty one if none does.</summary>
        public static Area Find(List<Area> sorted, ulong address)
        {
            int low = 0, high = sorted.Count;
            while(low < high)
            {
                var middle = (low + high) / 2;
                if(sorted[middle].Address <= address)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }
            return low > 0 && sorted[low - 1].Holds(address) ? sorted[low - 1] : new Area();
        }
    }

    internal sealed class Window
    {
        public List<Chunk> Writes;
        public List<Area> Reads;
    }

    /// <summary>A step of the dialogue with the program's console.</summary>
    internal sealed class Exchange
    {
        public byte[] Send;
        public byte[] Wait;
        public bool Measured;
    }

    /// <summary>What a function of an allocator does, as heap_log.py numbers it, and the register of its first argument.</summary>
    internal struct HeapFunction
    {
        public byte Does;
        public byte First;
    }

    internal sealed class Plan
    {
        public Plan(Request request)
        {
            Profile = request.Flag();
            Vectors = request.Word();
            Begin = request.Address();
            End = request.Address();
            Exit = request.Address();
            MaxInstructions = request.Long();
            TimeoutMilliseconds = request.Word();
            Stack = ReadArea(request);
            Code = ReadArea(request);
            WatchFlash = request.Flag();
            Flash = ReadAreas(request);
            Load = ReadChunks(request);
            var count = request.Word();
            for(var i = 0u; i < count; i++)
            {
                Windows.Add(new Window { Writes = ReadChunks(request), Reads = ReadAreas(request) });
            }
            ReadFirmwareOfAnyMake(request, out Repeat, out Main, out MainEnd, out StopAfter, out Sbrk, out Start);
            Input = request.Address();
            ClockHz = request.Long();
            Functions = ReadAreas(request);
            Arrays = ReadAreas(request);
            Memories = ReadAreas(request);
            count = request.Word();
            for(var i = 0u; i < count; i++)
            {
                HeapFunctions[request.Word()] = new HeapFunction { Does = request.Byte(), First = request.Byte() };
            }
        }

        /// <summary>Whether each call of a function is measured: they may be under way on several stacks.</summary>
        public bool FollowsCalls { get { return Repeat && Begin.HasValue && !End.HasValue; } }

        public readonly bool Profile;
        public readonly uint Vectors;
        public readonly ulong? Begin;
        public readonly ulong? End;
        public readonly ulong? Exit;
        public readonly ulong MaxInstructions;
        public readonly uint TimeoutMilliseconds;
        public readonly Area Stack;
        public readonly Area Code;
        public readonly bool WatchFlash;
        public readonly List<Area> Flash;
        public readonly List<Chunk> Load;
        public readonly List<Window> Windows = new List<Window>();
        public readonly bool Repeat;
        public readonly List<ulong> Stops = new List<ulong>();
        /// <summary>The addresses of main, [Main, MainEnd).</summary>
        public readonly ulong? Main;
        public readonly ulong? MainEnd;
        public readonly ulong? StopAfter;
        public readonly ulong? Sbrk;
        /// <summary>Stack pointer and first instruction of a program without a vector table, else null.</summary>
        public readonly KeyValuePair<uint, uint>? Start;
        public readonly List<Exchange> Dialogue = new List<Exchange>();
        /// <summary>The register from which the program reads what is sent to its console.</summary>
        public readonly ulong? Input;
        public readonly ulong ClockHz;
        /// <summary>Functions of the allocator whose calls are told, by their entries.</summary>
        public readonly Dictionary<ulong, HeapFunction> HeapFunctions = new Dictionary<ulong, HeapFunction>();
        /// <summary>Of plans that follow calls: where functions are, and what stacks may lie in; sorted.</summary>
        public readonly List<Area> Functions;
        public readonly List<Area> Arrays;
        public readonly List<Area> Memories;

        private void ReadFirmwareOfAnyMake(
            Request request, out bool repeat, out ulong? main, out ulong? mainEnd, out ulong? stopAfter,
            out ulong? sbrk, out KeyValuePair<uint, uint>? start)
        {
            repeat = request.Flag();
            var count = request.Word();
            for(var i = 0u; i < count; i++)
            {
                Stops.Add(request.Word());
            }
            main = request.Address();
            mainEnd = request.Address();
            stopAfter = request.Address();
            sbrk = request.Address();
            start = null;
            if(request.Flag())
            {
                var stack = request.Word();
                start = new KeyValuePair<uint, uint>(stack, request.Word());
            }
            count = request.Word();
            for(var i = 0u; i < count; i++)
            {
                Dialogue.Add(new Exchange { Send = request.Bytes(), Wait = request.Bytes(), Measured = request.Flag() });
            }
        }

        private static Area ReadArea(Request request)
        {
            return new Area { Address = request.Word(), Size = checked((int)request.Word()) };
        }

        private static List<Area> ReadAreas(Request request)
        {
            var areas = new List<Area>();
            var count = request.Word();
            for(var i = 0u; i < count; i++)
            {
                areas.Add(ReadArea(request));
            }
            return areas;
        }

        public static List<Chunk> ReadChunks(Request request)
        {
            var chunks = new List<Chunk>();
            var count = request.Word();
            for(var i = 0u; i < count; i++)
            {
                chunks.Add(new Chunk { Address = request.Word(), Data = request.Bytes() });
            }
            return chunks;
        }
    }
}
