// A dialogue with the program's console: what is sent to it, and what has to come back before the next step. The same
// rules as in harness/mcu_harness/emulator/dialogue.py.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;

    internal sealed class Dialogue
    {
        /// <summary>With the console of `platform`, which the program reads at the plan's input register.</summary>
        public Dialogue(Plan plan, Platform platform)
        {
            exchanges = plan.Dialogue;
            input = new ConsoleInput(platform, exchanges.Count > 0 ? plan.Input : null) { Taken = Stir };
        }

        public bool IsThere { get { return exchanges.Count > 0; } }

        /// <summary>The number of the step that is under way.</summary>
        public int Number { get { return number; } }

        /// <summary>The step that is under way, null before the first and after the last.</summary>
        public Exchange Step { get { return number >= 0 && number < exchanges.Count ? exchanges[number] : null; } }

        public bool Over { get { return IsThere && number >= exchanges.Count; } }

        /// <summary>Whether the step under way is through: all of it was read, and the answer came.</summary>
        public bool Answered { get { return Step != null && !input.Waiting && (said || Step.Wait.Length == 0); } }

        /// <summary>Whether the program has done what may have answered the step; to be taken back by who looks.</summary>
        public bool Stirred;

        /// <summary>Called when `Stirred` becomes true.</summary>
        public Action OnStirred = delegate {};

        /// <summary>What the program can read.</summary>
        public ConsoleInput Input { get { return input; } }

        /// <summary>Begin the next step, if there is one: from now on the program can read what it sends.</summary>
        public void NextStep()
        {
            number++;
            heard.Clear();
            said = false;
            if(Step != null)
            {
                input.Add(Step.Send);
            }
        }

        /// <summary>The program wrote `value`. What it writes before it has read everything is no answer.</summary>
        public void Hear(byte value)
        {
            if(Step == null || input.Waiting)
            {
                return;
            }
            heard.Add(value);
            if(heard.Count > Step.Wait.Length)
            {
                heard.RemoveAt(0);
            }
            said |= heard.SequenceEqual(Step.Wait);
            Stir();
        }

        private void Stir()
        {
            if(Answered && !Stirred)
            {
                Stirred = true;
                OnStirred();
            }
        }

        private readonly ConsoleInput input;
        private readonly List<Exchange> exchanges;
        private readonly List<byte> heard = new List<byte>();
        private int number = -1;
        private bool said;
    }
}
