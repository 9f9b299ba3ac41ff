// The frames exchanged with the harness: little-endian numbers; bytes and UTF-8 texts with their length in front.
// The Python side of the same format is protocol.py.
namespace McuHarness
{
    using System;
    using System.IO;
    using System.Text;

    /// <summary>A request, read field by field.</summary>
    internal sealed class Request
    {
        public Request(byte[] payload)
        {
            reader = new BinaryReader(new MemoryStream(payload));
            Kind = (char)reader.ReadByte();
        }

        public readonly char Kind;

        public bool Flag() { return reader.ReadByte() != 0; }

        public byte Byte() { return reader.ReadByte(); }

        public uint Word() { return reader.ReadUInt32(); }

        public ulong Long() { return reader.ReadUInt64(); }

        /// <summary>An address, or null where the harness has none.</summary>
        public ulong? Address()
        {
            var value = reader.ReadInt64();
            return value < 0 ? (ulong?)null : (ulong)value;
        }

        public byte[] Bytes() { return reader.ReadBytes(checked((int)reader.ReadUInt32())); }

        public string Text() { return Encoding.UTF8.GetString(Bytes()); }

        private readonly BinaryReader reader;
    }

    /// <summary>An answer, written field by field.</summary>
    internal sealed class Answer
    {
        public Answer(char kind)
        {
            writer = new BinaryWriter(stream);
            writer.Write((uint)kind);
        }

        public Answer Byte(int value) { writer.Write((byte)value); return this; }

        public Answer Word(uint value) { writer.Write(value); return this; }

        public Answer Long(ulong value) { writer.Write(value); return this; }

        public Answer Bytes(byte[] value) { writer.Write((uint)value.Length); writer.Write(value); return this; }

        public Answer Text(string value) { return Bytes(Encoding.UTF8.GetBytes(value)); }

        public byte[] Payload() { writer.Flush(); return stream.ToArray(); }

        private readonly MemoryStream stream = new MemoryStream();
        private readonly BinaryWriter writer;
    }
}
