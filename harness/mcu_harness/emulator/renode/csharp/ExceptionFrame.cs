// What the core pushes when it takes an exception, and where it pops that from: Armv7-M Architecture Reference Manual (DDI 0403), B1.4.4,
// B1.5.6 and B1.5.8.
namespace McuHarness
{
    using Antmicro.Renode.Peripherals.CPU;

    internal static class ExceptionFrame
    {
        /// <summary>Whether floating-point registers will be pushed, too.</summary>
        public static bool HasFloats(CortexM core)
        {
            return (core.Control.RawValue & FloatingPointContext) != 0;
        }

        /// <summary>How many bytes will be pushed.</summary>
        public static ulong SizePushed(CortexM core)
        {
            return HasFloats(core) ? SizeWithFloats : Size;
        }

        /// <summary>Where the frame lies that a return pops, with the program counter at what says where to.</summary>
        public static ulong Popped(CortexM core)
        {
            return (core.PC.RawValue & ToProcessStack) != 0 ? core.OtherSP.RawValue : core.SP.RawValue;
        }

        /// <summary>How many bytes that frame has.</summary>
        public static ulong SizePopped(CortexM core)
        {
            return (core.PC.RawValue & WithoutFloats) != 0 ? Size : SizeWithFloats;
        }

        /// <summary>Of what a return jumps to.</summary>
        public const ulong ToProcessStack = 1 << 2;

        private const ulong FloatingPointContext = 1 << 2;
        private const ulong WithoutFloats = 1 << 4;
        private const ulong Size = 0x20;
        private const ulong SizeWithFloats = 0x68;
    }
}
