"""Programs that go wrong, each in one way, and what is said of it."""

from __future__ import annotations

# Code of a function `wrong`, called from `infer`, which is the region "network", called from main:
# the code of the finding, what its message says, what a line of its details says (regular expressions).
FAULTS = {
    "read-outside": (
        "return *(volatile int *)0x30000004;  // HERE",
        "fault.read", r"it reads 4 B at 0x30000004, where the board has no memory",
        r"CFSR 0x00008200 \(PRECISERR, BFARVALID\), HFSR 0x40000000 \(FORCED\), BFAR 0x30000004",
    ),
    "read-behind-ram": (
        "return *(volatile char *)0x20020004;  // HERE",
        "fault.read", r"it reads 1 B at 0x20020004, .*: 4 B behind the end of sram", r"BFAR 0x20020004",
    ),
    "read-reserved-space": (
        "return *(volatile int *)0xE0200000;  // HERE",
        "fault.read", r"it reads 4 B at 0xe0200000, .*: reserved", r"BFAR 0xe0200000",
    ),
    "read-by-an-unset-local-pointer": (
        "volatile int *p = (volatile int *)0xA5A5A5A5; __asm__(\"\" : \"+r\"(p)); return p[1];  // HERE",
        "fault.read", r"memory of the stack that was never written, used as a pointer", r"PRECISERR",
    ),
    "write-outside": (
        "*(volatile short *)0x60000000 = 1; return 0;  // HERE",
        "fault.write", r"it writes 2 B at 0x60000000, where the board has no memory",
        r"CFSR 0x00000400 \(IMPRECISERR\).*writes are buffered",
    ),
    "write-to-flash": (
        "*(volatile int *)0x08008000 = 1; return 0;  // HERE",
        "fault.flash-write", r"it writes 4 B at 0x08008000, which is flash", r"IMPRECISERR",
    ),
    "write-by-a-null-pointer": (
        "volatile int *p = 0; __asm__(\"\" : \"+r\"(p)); p[3] = 1; return 0;  // HERE",
        "fault.flash-write", r"it writes 4 B at 0x0000000c, .*: a null pointer \(with an offset of 0xc\)", r"IMPRECISERR",
    ),
    "undefined-instruction": (
        "__asm__ volatile(\"udf #1\"); return 0;  // HERE",
        "fault.undefined-instruction", r"it runs into udf #1, which is no instruction",
        r"CFSR 0x00010000 \(UNDEFINSTR\)",
    ),
    "trap-of-the-compiler": (
        "__builtin_trap();  // HERE",
        "fault.undefined-instruction", r"what GCC makes of __builtin_trap\(\)", r"UNDEFINSTR",
    ),
    "jump-outside": (
        "((void (*)(void))0x30000001)(); return 0;  // HERE",
        "fault.jump", r"it jumps to 0x30000000, where no code can be", r"CFSR 0x00000100 \(IBUSERR\)",
    ),
    "jump-into-a-device": (
        "((void (*)(void))0x40000001)(); return 0;  // HERE",
        "fault.jump", r"it jumps to 0x40000000, where no code can be: the space of devices",
        r"CFSR 0x00000001 \(IACCVIOL\)",
    ),
    "call-of-a-null-pointer": (
        "void (*volatile f)(void) = 0; f(); return 0;  // HERE",
        "fault.not-thumb", r"it jumps to 0x00000000 without bit 0 set.*: a null pointer", r"CFSR 0x00020000 \(INVSTATE\)",
    ),
    "call-without-the-thumb-bit": (
        "void (*volatile f)(void) = (void (*)(void))((unsigned)main & ~1u); f(); return 0;  // HERE",
        "fault.not-thumb", r"without bit 0 set, which would leave Thumb state \[|without bit 0 set, which would leave Thumb state$",
        r"INVSTATE",
    ),
    "breakpoint": (
        "__asm__ volatile(\"bkpt #3\"); return 0;  // HERE",
        "fault.breakpoint", r"it runs into a breakpoint, `bkpt #3`, without a debugger", r"HFSR 0x80000000 \(DEBUGEVT\)",
    ),
    "no-coprocessor": (
        "__asm__ volatile(\"mrc p4, #0, r0, c0, c0\"); return 0;  // HERE",
        "law.instruction", r"needs a coprocessor", r"CFSR 0x00080000 \(NOCP\)",
    ),
    "exclusive-access-that-is-not-aligned": (
        "static volatile int x[2]; int r; __asm__ volatile(\"ldrex %0, [%1]\" : \"=r\"(r) : \"r\"((char *)x + 2)); return r;  // HERE",
        "fault.unaligned", r"`ldrex r0, \[r\d\]` accesses memory at an address that is not aligned",
        r"CFSR 0x01000000 \(UNALIGNED\)",
    ),
    "reset-request": (
        "*(volatile unsigned *)0xE000ED0C = 0x05FA0004; for (;;) { }  // HERE",
        "fault.reset", r"it asks for a system reset", r"calls: Reset_Handler > main > infer > wrong",
    ),
}  # fmt: skip


def program(body: str) -> str:
    return f"""
int main(void);
__attribute__((noinline)) int wrong(int n) {{
    {body}
}}
__attribute__((noinline)) int infer(int n) {{ return wrong(n) + n; }}
int main(void) {{ return infer(2); }}
"""


# A vector table in RAM whose SVC handler is `handler`.
TABLE = """
static unsigned table[64] __attribute__((aligned(256)));
static void take(void (*handler)(void)) {
    for (int i = 0; i < 16; i++) table[i] = ((unsigned *)0x08000000)[i];
    table[11] = (unsigned)handler;
    *(volatile unsigned *)0xE000ED08 = (unsigned)table;
}
"""
# (top of the file, code of `wrong`, code of the finding, what its details say)
FAULTS_OF_EXCEPTIONS = {
    "exception-without-a-stack": (
        "void nothing(void) { }",
        'take(nothing); __asm__ volatile("mov r0, #0x10\\n msr psp, r0\\n mov r0, #2\\n msr control, r0\\n isb\\n svc #0" ::: "r0");',
        "fault.stacking", r"STKERR",
    ),
    "return-without-a-stack": (
        '__attribute__((naked)) void lose(void) { __asm__ volatile("mov r0, #0x60000000\\n msr psp, r0\\n mvn lr, #2\\n bx lr"); }',
        'take(lose); __asm__ volatile("svc #0" ::: "r0");',
        "fault.unstacking", r"UNSTKERR",
    ),
    "masked-supervisor-call": (
        "", '__asm__ volatile("cpsid i\\n svc #0");',
        "fault.supervisor-call", r"HardFault",
    ),
}  # fmt: skip


def exception_program(name: str) -> str:
    top, body, *_ = FAULTS_OF_EXCEPTIONS[name]
    return (
        f"{TABLE}{top}\n__attribute__((noinline)) int wrong(int n) {{ {body} return n; }}\n"
        "int main(void) { (void)take; return wrong(2); }\n"
    )
