// What the translator calls at the begin of each block, in machine code: a call into C# would cost ten times as much.
namespace McuHarness
{
    using System;
    using System.Linq;
    using System.Runtime.InteropServices;

    internal static class MachineCode
    {
        /// <summary>
        /// The address of uint begin(ulong address, uint instructions), which works on the `state` of BlockLog at that address; null on
        /// machines for which there is none. It is written once.
        /// </summary>
        public static IntPtr? Place(IntPtr state)
        {
            var code = ForThisMachine();
            if(placed == null && code != null)
            {
                var size = new UIntPtr((uint)code.Length + 8);
                var page = mmap(IntPtr.Zero, size, Read | Write, PrivateAnonymous, -1, IntPtr.Zero);
                if(page != new IntPtr(-1))
                {
                    Marshal.Copy(code.Concat(BitConverter.GetBytes(state.ToInt64())).ToArray(), 0, page, code.Length + 8);
                    // The kernel makes what was written visible to instruction fetches when the page becomes executable.
                    placed = mprotect(page, size, Read | Execute) == 0 ? page : (IntPtr?)null;
                }
            }
            return placed;
        }

        private static byte[] ForThisMachine()
        {
            if(!RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
            {
                return null;
            }
            switch(RuntimeInformation.ProcessArchitecture)
            {
            case Architecture.X64:
                return X64;
            case Architecture.Arm64:
                return Arm64;
            default:
                return null;
            }
        }

        [DllImport("libc")]
        private static extern IntPtr mmap(IntPtr address, UIntPtr size, int access, int flags, int file, IntPtr offset);

        [DllImport("libc")]
        private static extern int mprotect(IntPtr address, UIntPtr size, int access);

        // Linux's numbers, the same on both.
        private const int Read = 1;
        private const int Write = 2;
        private const int Execute = 4;
        private const int PrivateAnonymous = 0x22;

        private static IntPtr? placed;

        // The address of `state` follows each.
        private static readonly byte[] X64 =
        {
            // ask for the number of instructions, keeping the arguments
            0x48, 0x83, 0xEC, 0x18,                    // 00: sub rsp, 0x18
            0x48, 0x89, 0x3C, 0x24,                    // 04: mov qword ptr [rsp], rdi
            0x48, 0x89, 0x74, 0x24, 0x08,              // 08: mov qword ptr [rsp + 8], rsi
            0x48, 0x8B, 0x05, 0x7C, 0x00, 0x00, 0x00,  // 0d: mov rax, qword ptr [rip + 0x7c]
            0xFF, 0x50, 0x28,                          // 14: call qword ptr [rax + 0x28]
            0x48, 0x8B, 0x3C, 0x24,                    // 17: mov rdi, qword ptr [rsp]
            0x48, 0x8B, 0x74, 0x24, 0x08,              // 1b: mov rsi, qword ptr [rsp + 8]
            0x48, 0x83, 0xC4, 0x18,                    // 20: add rsp, 0x18
            // make the entry
            0x48, 0x8B, 0x15, 0x65, 0x00, 0x00, 0x00,  // 24: mov rdx, qword ptr [rip + 0x65]
            0x48, 0x8B, 0x0A,                          // 2b: mov rcx, qword ptr [rdx]
            0x89, 0x39,                                // 2e: mov dword ptr [rcx], edi
            0x89, 0x41, 0x04,                          // 30: mov dword ptr [rcx + 4], eax
            0x48, 0x83, 0xC1, 0x08,                    // 33: add rcx, 8
            0x48, 0x89, 0x0A,                          // 37: mov qword ptr [rdx], rcx
            // known code?
            0x89, 0xF8,                                // 3a: mov eax, edi
            0x2B, 0x42, 0x10,                          // 3c: sub eax, dword ptr [rdx + 0x10]
            0x3B, 0x42, 0x18,                          // 3f: cmp eax, dword ptr [rdx + 0x18]
            0x73, 0x24,                                // 42: jae 0x68
            // more to do?
            0x48, 0x3B, 0x4A, 0x08,                    // 44: cmp rcx, qword ptr [rdx + 8]
            0x73, 0x3D,                                // 48: jae 0x87
            // above the measured call's frame?
            0x48, 0x8B, 0x42, 0x38,                    // 4a: mov rax, qword ptr [rdx + 0x38]
            0x8B, 0x00,                                // 4e: mov eax, dword ptr [rax]
            0x2B, 0x42, 0x40,                          // 50: sub eax, dword ptr [rdx + 0x40]
            0x3B, 0x42, 0x48,                          // 53: cmp eax, dword ptr [rdx + 0x48]
            0x72, 0x2F,                                // 56: jb 0x87
            // in its caller?
            0x89, 0xF8,                                // 58: mov eax, edi
            0x2B, 0x42, 0x50,                          // 5a: sub eax, dword ptr [rdx + 0x50]
            0x3B, 0x42, 0x58,                          // 5d: cmp eax, dword ptr [rdx + 0x58]
            0x72, 0x25,                                // 60: jb 0x87
            // go on
            0xB8, 0x01, 0x00, 0x00, 0x00,              // 62: mov eax, 1
            0xC3,                                      // 67: ret
            // code that was sent already?
            0x49, 0x89, 0xF8,                          // 68: mov r8, rdi
            0x49, 0xC1, 0xE0, 0x20,                    // 6b: shl r8, 0x20
            0x89, 0xF0,                                // 6f: mov eax, esi
            0x49, 0x09, 0xC0,                          // 71: or r8, rax
            0x89, 0xF8,                                // 74: mov eax, edi
            0xD1, 0xE8,                                // 76: shr eax, 1
            0x25, 0xFF, 0x3F, 0x00, 0x00,              // 78: and eax, 0x3fff
            0x4C, 0x8B, 0x4A, 0x20,                    // 7d: mov r9, qword ptr [rdx + 0x20]
            0x4D, 0x3B, 0x04, 0xC1,                    // 81: cmp r8, qword ptr [r9 + rax*8]
            0x74, 0xBD,                                // 85: je 0x44
            // Renode's hook
            0xFF, 0x62, 0x30,                          // 87: jmp qword ptr [rdx + 0x30]
            // never reached
            0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC,
        };

        private static readonly byte[] Arm64 =
        {
            // ask for the number of instructions, keeping the arguments
            0xFD, 0x7B, 0xBE, 0xA9,                    // 00: stp x29, x30, [sp, #-0x20]!
            0xFD, 0x03, 0x00, 0x91,                    // 04: mov x29, sp
            0xE0, 0x07, 0x01, 0xA9,                    // 08: stp x0, x1, [sp, #0x10]
            0xE2, 0x04, 0x00, 0x58,                    // 0c: ldr x2, #0xa8
            0x42, 0x14, 0x40, 0xF9,                    // 10: ldr x2, [x2, #0x28]
            0x40, 0x00, 0x3F, 0xD6,                    // 14: blr x2
            0xE3, 0x03, 0x00, 0xAA,                    // 18: mov x3, x0
            0xE0, 0x07, 0x41, 0xA9,                    // 1c: ldp x0, x1, [sp, #0x10]
            0xFD, 0x7B, 0xC2, 0xA8,                    // 20: ldp x29, x30, [sp], #0x20
            // make the entry
            0x22, 0x04, 0x00, 0x58,                    // 24: ldr x2, #0xa8
            0x44, 0x00, 0x40, 0xF9,                    // 28: ldr x4, [x2]
            0x80, 0x0C, 0x81, 0x28,                    // 2c: stp w0, w3, [x4], #8
            0x44, 0x00, 0x00, 0xF9,                    // 30: str x4, [x2]
            // known code?
            0x45, 0x18, 0x41, 0xA9,                    // 34: ldp x5, x6, [x2, #0x10]
            0x05, 0x00, 0x05, 0x4B,                    // 38: sub w5, w0, w5
            0xBF, 0x00, 0x06, 0x6B,                    // 3c: cmp w5, w6
            0x02, 0x02, 0x00, 0x54,                    // 40: b.hs #0x80
            // more to do?
            0x45, 0x04, 0x40, 0xF9,                    // 44: ldr x5, [x2, #8]
            0x9F, 0x00, 0x05, 0xEB,                    // 48: cmp x4, x5
            0x82, 0x02, 0x00, 0x54,                    // 4c: b.hs #0x9c
            // above the measured call's frame?
            0x45, 0x1C, 0x40, 0xF9,                    // 50: ldr x5, [x2, #0x38]
            0xA5, 0x00, 0x40, 0xB9,                    // 54: ldr w5, [x5]
            0x46, 0x1C, 0x44, 0xA9,                    // 58: ldp x6, x7, [x2, #0x40]
            0xA5, 0x00, 0x06, 0x4B,                    // 5c: sub w5, w5, w6
            0xBF, 0x00, 0x07, 0x6B,                    // 60: cmp w5, w7
            0xC3, 0x01, 0x00, 0x54,                    // 64: b.lo #0x9c
            // in its caller?
            0x46, 0x1C, 0x45, 0xA9,                    // 68: ldp x6, x7, [x2, #0x50]
            0x05, 0x00, 0x06, 0x4B,                    // 6c: sub w5, w0, w6
            0xBF, 0x00, 0x07, 0x6B,                    // 70: cmp w5, w7
            0x43, 0x01, 0x00, 0x54,                    // 74: b.lo #0x9c
            // go on
            0x20, 0x00, 0x80, 0x52,                    // 78: mov w0, #1
            0xC0, 0x03, 0x5F, 0xD6,                    // 7c: ret
            // code that was sent already?
            0xE5, 0x03, 0x01, 0x2A,                    // 80: mov w5, w1
            0xA5, 0x80, 0x00, 0xAA,                    // 84: orr x5, x5, x0, lsl #32
            0x06, 0x38, 0x41, 0xD3,                    // 88: ubfx x6, x0, #1, #0xe
            0x47, 0x10, 0x40, 0xF9,                    // 8c: ldr x7, [x2, #0x20]
            0xE7, 0x78, 0x66, 0xF8,                    // 90: ldr x7, [x7, x6, lsl #3]
            0xBF, 0x00, 0x07, 0xEB,                    // 94: cmp x5, x7
            0x60, 0xFD, 0xFF, 0x54,                    // 98: b.eq #0x44
            // Renode's hook
            0x50, 0x18, 0x40, 0xF9,                    // 9c: ldr x16, [x2, #0x30]
            0x00, 0x02, 0x1F, 0xD6,                    // a0: br x16
            // never reached
            0x1F, 0x20, 0x03, 0xD5,                    // a4: nop
        };
    }
}
