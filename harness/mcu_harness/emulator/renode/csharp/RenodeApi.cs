// What differs between versions of Renode, in one place. What the running Renode has decides, never its number: upstream
// changes its interfaces between releases, and packages are built from any commit.
namespace McuHarness
{
    using System;
    using System.Linq;
    using System.Reflection;
    using Antmicro.Renode.Logging.Profiling;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Peripherals.IRQControllers;

    /// <summary>Something to be done each time a core arrives at an address, before the instruction there.</summary>
    internal sealed class AddressHook
    {
        /// <summary>`reached(address)` is called on arrival.</summary>
        public AddressHook(CortexM core, Action<ulong> reached)
        {
            this.core = core;
            this.reached = reached;
            // The type of the hook was Action<ICpuSupportingGdb, ulong> up to 1.16.0, and is CpuAddressHook since.
            add = RenodeApi.Method(core, "AddHook", 2);
            remove = RenodeApi.Method(core, "RemoveHook", 2);
            hook = Delegate.CreateDelegate(
                add.GetParameters()[1].ParameterType, this,
                GetType().GetMethod("Arrive", BindingFlags.Instance | BindingFlags.NonPublic));
        }

        public void Add(ulong address) { add.Invoke(core, new object[] { address, hook }); }

        public void Remove(ulong address) { remove.Invoke(core, new object[] { address, hook }); }

        private void Arrive(ICpuSupportingGdb cpu, ulong address) { reached(address); }

        private readonly CortexM core;
        private readonly Action<ulong> reached;
        private readonly MethodInfo add;
        private readonly MethodInfo remove;
        private readonly Delegate hook;
    }

    /// <summary>Something to be done at each access to memory. It slows the core down by a factor of ten or more.</summary>
    internal sealed class AccessHook
    {
        /// <summary>
        /// `accessed(pc, operation, address, physical address, bytes)` is called, with 0 bytes where this Renode does not
        /// tell; the hook stays until it is removed.
        /// </summary>
        public static void Set(CortexM core, Action<ulong, MemoryOperation, ulong, ulong, uint> accessed)
        {
            // Since 1.16.0 the hook is also told the width of the access.
            var method = RenodeApi.Method(core, "SetHookAtMemoryAccess", 1);
            var type = method.GetParameters()[0].ParameterType;
            var parameters = type.GetMethod("Invoke").GetParameters().Length;
            var own = typeof(AccessHook).GetMethod(
                parameters == 5 ? "Accessed" : "AccessedWithWidth", BindingFlags.Instance | BindingFlags.NonPublic);
            method.Invoke(core, new object[] { Delegate.CreateDelegate(type, new AccessHook(accessed), own) });
        }

        /// <summary>Nothing is done at accesses any more.</summary>
        public static void Remove(CortexM core)
        {
            RenodeApi.Method(core, "SetHookAtMemoryAccess", 1).Invoke(core, new object[] { null });
        }

        private AccessHook(Action<ulong, MemoryOperation, ulong, ulong, uint> accessed) { this.accessed = accessed; }

        private void Accessed(ulong pc, MemoryOperation operation, ulong address, ulong physical, ulong value)
        {
            accessed(pc, operation, address, physical, 0);
        }

        private void AccessedWithWidth(
            ulong pc, MemoryOperation operation, ulong address, ulong physical, uint width, ulong value)
        {
            accessed(pc, operation, address, physical, width);
        }

        private readonly Action<ulong, MemoryOperation, ulong, ulong, uint> accessed;
    }

    internal static class RenodeApi
    {
        /// <summary>The public method `name` of the core with that many parameters, none of them from a script.</summary>
        public static MethodInfo Method(CortexM core, string name, int parameters)
        {
            var found = core.GetType().GetMethods().FirstOrDefault(
                x => x.Name == name && x.GetParameters().Length == parameters);
            if(found == null)
            {
                throw new MissingMethodException("this Renode's core has no " + name + " with " + parameters + " parameters");
            }
            return found;
        }

        /// <summary>The number of the exception that `controller` will have taken next, 0 for none or an unknown one.</summary>
        public static uint NextException(object controller)
        {
            var nvic = controller as NVIC;
            if(nvic == null)
            {
                return 0;
            }
            int? next = nvic.FindPendingInterrupt(); // int up to 1.16, where no exception has a number of its own, int? since
            return next.HasValue && next.Value > 0 && next.Value < NumbersOfExceptions ? (uint)next.Value : 0;
        }

        /// <summary>Whether the core waits for an interrupt or an event, in Renode also one that branches to itself.</summary>
        public static bool Sleeps(CortexM core)
        {
            return Field(typeof(TranslationCPU), "lastTlibResult").GetValue(core).ToString() == "WaitingForInterrupt";
        }

        /// <summary>Have the core do nothing for the time of so many instructions, before the next; not while it runs.</summary>
        public static void Skip(CortexM core, ulong instructions)
        {
            Field(typeof(BaseCPU), "skipInstructions").SetValue(core, instructions); // there is a property, for the core's own thread
        }

        private static FieldInfo Field(Type holder, string name)
        {
            var found = holder.GetField(name, BindingFlags.Instance | BindingFlags.NonPublic);
            if(found == null)
            {
                throw new MissingFieldException("this Renode's " + holder.Name + " has no " + name);
            }
            return found;
        }

        private const int NumbersOfExceptions = 256;
    }
}
