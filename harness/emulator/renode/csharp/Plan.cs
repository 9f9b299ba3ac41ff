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
    }

    internal sealed class Window
    {
        public List<Chunk> Writes;
        public List<Area> Reads;
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
        }

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

        private static List<Chunk> ReadChunks(Request request)
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
