// The first warnings and errors of a run, kept for the person who has to find out what went wrong.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Logging;

    internal sealed class LogWatch : ILoggerBackend
    {
        /// <summary>Start over, for a new machine.</summary>
        public static LogWatch Renew()
        {
            if(current != null)
            {
                Logger.RemoveBackend(current);
            }
            current = new LogWatch();
            Logger.AddBackend(current, "mcu-harness", true);
            return current;
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
