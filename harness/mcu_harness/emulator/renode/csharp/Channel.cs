// The connection to the harness. The harness listens on loopback and Renode connects to it, so that Renode opens no
// port at all and two Renodes cannot want the same one.
namespace McuHarness
{
    using System;
    using System.Collections.Concurrent;
    using System.Diagnostics;
    using System.IO;
    using System.Net;
    using System.Net.Sockets;
    using System.Threading;

    internal sealed class Channel
    {
        /// <summary>Connect to the harness, which listens on `port` of the loopback interface.</summary>
        public Channel(int port)
        {
            var client = new TcpClient();
            client.NoDelay = true;
            client.Connect(IPAddress.Loopback, port);
            stream = client.GetStream();
            StartThread("harness sender", SendAll);
            StartThread("harness receiver", ReceiveAll);
        }

        /// <summary>Wait for the next request.</summary>
        public Request Next() { return requests.Take(); }

        /// <summary>Queue an answer; answers and blocks leave in the order in which they were queued.</summary>
        public void Send(Answer answer)
        {
            var payload = answer.Payload();
            SendRaw(payload, payload.Length);
        }

        /// <summary>Queue a frame that is made already: the first `length` bytes of `payload`, to be left alone until they are sent.</summary>
        public void SendRaw(byte[] payload, int length) { outgoing.Add(new ArraySegment<byte>(payload, 0, length)); }

        /// <summary>How many answers can be queued; one more may be under way.</summary>
        public const int MostWaiting = 16;

        /// <summary>
        /// End this process at once. Called when the harness is gone: nobody is left to ask for anything or to remove the
        /// directory that it made for this Renode, and an orderly exit can hang while a core runs.
        /// </summary>
        public static void Die()
        {
            try
            {
                Directory.Delete(Environment.GetEnvironmentVariable("MCU_HARNESS_DIRECTORY"), true);
            }
            catch(Exception)
            {
                // Somebody else has removed it, or it is in use; there is nobody to tell.
            }
            Process.GetCurrentProcess().Kill();
        }

        private void ReceiveAll()
        {
            var reader = new BinaryReader(stream);
            while(true)
            {
                var length = reader.ReadUInt32();
                requests.Add(new Request(ReadExactly(reader, checked((int)length))));
            }
        }

        private static byte[] ReadExactly(BinaryReader reader, int length)
        {
            var payload = reader.ReadBytes(length);
            if(payload.Length != length)
            {
                throw new EndOfStreamException();
            }
            return payload;
        }

        private void SendAll()
        {
            foreach(var payload in outgoing.GetConsumingEnumerable())
            {
                stream.Write(BitConverter.GetBytes((uint)payload.Count), 0, 4);
                stream.Write(payload.Array, 0, payload.Count);
            }
        }

        private static void StartThread(string name, Action body)
        {
            new Thread(() =>
            {
                try
                {
                    body();
                }
                catch(Exception)
                {
                    Die();
                }
            })
            { IsBackground = true, Name = name }.Start();
        }

        private readonly NetworkStream stream;
        private readonly BlockingCollection<Request> requests = new BlockingCollection<Request>();
        // Bounded, so that blocks that the harness has not taken yet make the core wait instead of filling memory.
        private readonly BlockingCollection<ArraySegment<byte>> outgoing =
            new BlockingCollection<ArraySegment<byte>>(MostWaiting);
    }
}
