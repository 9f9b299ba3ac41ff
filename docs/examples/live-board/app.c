/* A thermostat without a C library: a shell on USART2, a millisecond tick, a button on EXTI0, a sensor on ADC1. */

#include <stdbool.h>
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define USART2_SR REG(0x40004400)
#define USART2_DR REG(0x40004404)
#define USART2_CR1 REG(0x4000440C)
#define ADC1_DR REG(0x4001204C)
#define SYST_CSR REG(0xE000E010)
#define SYST_RVR REG(0xE000E014)
#define SYST_CVR REG(0xE000E018)
#define NVIC_ISER0 REG(0xE000E100)
#define CLOCK_HZ 168000000u
#define RXNE (1u << 5)
#define TXE (1u << 7)
#define UE_TE_RE (1u << 13 | 1u << 3 | 1u << 2)
#define EXTI0_IRQ 6

enum mode { OFF, HEATING };
struct state {
    enum mode mode;
    int16_t target;      /* tenths of a degree */
    int16_t history[8];  /* the latest samples, oldest first */
    uint8_t samples;
};

struct state state = { OFF, 200, { 0 }, 0 };
volatile uint32_t milliseconds, press_count;

void SysTick_Handler(void) { milliseconds++; }
void EXTI0_Handler(void) { press_count++; }

void delay(uint32_t ms) {
    uint32_t start = milliseconds;
    while (milliseconds - start < ms) __asm volatile("wfi");
}

static void put(char c) {
    while (!(USART2_SR & TXE)) { }
    USART2_DR = (uint8_t)c;
}

static void print(const char *text) {
    while (*text) put(*text++);
}

static void print_number(int32_t number) {
    char digits[11];
    int length = 0;
    uint32_t rest = number < 0 ? 0u - (uint32_t)number : (uint32_t)number;
    do digits[length++] = (char)('0' + rest % 10); while (rest /= 10);
    if (number < 0) put('-');
    while (length) put(digits[--length]);
}

/* The ADC's 12 bits as tenths of a degree: -40.0 at 0, 125.0 at full scale. */
int16_t temperature(uint32_t raw) { return (int16_t)((int32_t)(raw * 1650 / 4095) - 400); }

/* The middle of the latest samples, so that one that is wrong does not count. */
int16_t filter(const int16_t *samples, uint8_t count) {
    int16_t sorted[8];
    for (int i = 0; i < count; i++) {
        int at = i;
        for (; at > 0 && sorted[at - 1] > samples[i]; at--) sorted[at] = sorted[at - 1];
        sorted[at] = samples[i];
    }
    return count ? sorted[count / 2] : 0;
}

void sample(void) {
    for (int i = 0; i < 7; i++) state.history[i] = state.history[i + 1];
    state.history[7] = temperature(ADC1_DR);
    if (state.samples < 8) state.samples++;
    int16_t now = filter(&state.history[8 - state.samples], state.samples);
    state.mode = now < state.target ? HEATING : OFF;
    print(state.mode == HEATING ? "heating at " : "off at ");
    print_number(now);
    put('\n');
}

static bool handle(char command) {
    if (command == 's') { sample(); return true; }
    if (command == 'p') { print_number((int32_t)press_count); put('\n'); return true; }
    if (command == 'w') { delay(1000); print("waited\n"); return true; }
    return false;
}

int main(void) {
    USART2_CR1 = UE_TE_RE;
    SYST_RVR = CLOCK_HZ / 1000 - 1;
    SYST_CVR = 0;
    SYST_CSR = 7;
    NVIC_ISER0 = 1u << EXTI0_IRQ;
    delay(3);
    print("ready in ");
    print_number((int32_t)milliseconds);
    print(" ms\n");
    for (;;) {
        if (!(USART2_SR & RXNE)) { __asm volatile("wfi"); continue; }
        if (!handle((char)USART2_DR)) print("commands: s, p, w\n");
    }
}

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];

static void reset(void) {
    for (uint32_t *to = data_start, *from = data_load; to < data_end;) *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;) *to++ = 0;
    main();
    for (;;) { }
}

__attribute__((section(".vectors"), used)) void *const vectors[16 + 8] = {
    stack_top, (void *)reset, [15] = (void *)SysTick_Handler, [16 + EXTI0_IRQ] = (void *)EXTI0_Handler,
};
