// What the harness starts from the monitor: `emulation ServeMcuHarness`.
namespace McuHarness
{
    using System;
    using System.Text;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Exceptions;
    using Antmicro.Renode.Utilities;

    public static class Commands
    {
        /// <summary>Serve requests until the harness closes the connection; never returns.</summary>
        public static void ServeMcuHarness(this Emulation emulation)
        {
            var port = int.Parse(Environment.GetEnvironmentVariable("MCU_HARNESS_PORT"));
            var channel = new Channel(port);
            string root;
            Misc.TryGetRootDirectory(out root);
            channel.Send(new Answer('H').Text(Environment.GetEnvironmentVariable("MCU_HARNESS_SECRET")).Text(root ?? ""));
            Platform platform = null;
            Live live = null;
            while(true)
            {
                Serve(channel, channel.Next(), request =>
                {
                    switch(request.Kind)
                    {
                    case 'P':
                        live = null;
                        channel.Send(MakePlatform(request, out platform));
                        break;
                    case 'R':
                        new Run(platform, channel, request).Execute();
                        break;
                    case 'L':
                        live = new Live(platform, channel, request);
                        channel.Send(new Answer('K'));
                        break;
                    default:
                        if(live == null)
                        {
                            throw new InvalidOperationException("unknown request " + request.Kind);
                        }
                        live.Serve(request);
                        break;
                    }
                });
            }
        }

        private static Answer MakePlatform(Request request, out Platform platform)
        {
            platform = null;
            try
            {
                platform = new Platform(request);
                return new Answer('K');
            }
            catch(NoSuchCoreException error)
            {
                return new Answer('N').Text(error.Name).Text(error.There);
            }
        }

        /// <summary>Serve a request; what goes wrong is the answer.</summary>
        internal static void Serve(Channel channel, Request request, Action<Request> serve)
        {
            try
            {
                serve(request);
            }
            catch(Exception error)
            {
                channel.Send(new Answer('E').Text(Describe(error)));
            }
        }

        private static string Describe(Exception error)
        {
            var text = new StringBuilder();
            for(; error != null; error = error.InnerException)
            {
                // What Renode itself reports explains itself; of anything else the kind must be known too.
                text.Append(error is RecoverableException ? "" : error.GetType().Name + ": ").AppendLine(error.Message);
            }
            return text.ToString();
        }
    }
}
