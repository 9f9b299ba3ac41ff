// The first warnings and errors of a run, kept for the person who has to find out what went wrong.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Logging;

    internal sealed class LogWatch : ILoggerBackend
    {
        /// <summary>Start over, for a new machine: this is then the only one to whom anything is logged.</summary>
        public static LogWatch Renew()
        {
            var watch = new LogWatch();
            Logger.AddBackend(watch, "mcu-harness", true);
            // The backend of `--hide-log` asks for every message there is, and they are all made for it.
            foreach(var other in Logger.GetBackends().Values.Where(x => x != watch).ToList())
            {
                Logger.RemoveBackend(other);
            }
            if(current != null)
            {
                Logger.RemoveBackend(current);
            }
            return current = watch;
        }

        public string Text()
        {
            lock(lines)
            {
                return string.Join("\n", lines);
            }
        }

        public void Log(LogEntry entry)
        {
            if(entry.Type < LogLevel.Warning)
            {
                return;
            }
            lock(lines)
            {
                if(lines.Count < Limit)
                {
                    lines.Add("[" + entry.Type + "] " + entry.FullMessage);
                }
            }
        }

        public bool IsControllable { get { return false; } }

        public LogLevel GetLogLevel() { return LogLevel.Warning; }

        public IDictionary<int, LogLevel> GetCustomLogLevels() { return new Dictionary<int, LogLevel>(); }

        public void SetLogLevel(LogLevel level, int sourceId = -1) {}

        public void Reset() {}

        public void Flush() {}

        public void Dispose() {}

        private const int Limit = 100;
        private static LogWatch current;
        private readonly List<string> lines = new List<string>();
    }
}
