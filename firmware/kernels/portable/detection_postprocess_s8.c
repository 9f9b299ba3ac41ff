#include "mcu_detection_postprocess.h"

#define VALUES 256u

struct corners {
    float top;
    float left;
    float bottom;
    float right;
};

struct found {
    uint16_t box;
    uint16_t class;
    int32_t value; /* of the score, as a byte */
};

/* The scratch, in this order. */
struct work {
    struct corners *decoded;  /* [boxes] */
    struct found *found;      /* [detections + of_a_class] */
    uint16_t *starts;         /* [VALUES] */
    uint16_t *order;          /* [boxes]: candidates, the best first, boxes of one score in their order */
    uint16_t *selected;       /* [detections] */
    int8_t *values;           /* [boxes]: the score by which each is a candidate */
    uint8_t *is_out;          /* [boxes], by place in `order` */
};

static void decode(struct corners *decoded, const int8_t *encodings, const struct mcu_detection_postprocess *p)
{
    const float *anchor = p->anchors;
    for (uint32_t i = 0; i < p->boxes; ++i) {
        const float y = (float)(p->y[encodings[0] + 128] * (double)anchor[2] + (double)anchor[0]);
        const float x = (float)(p->x[encodings[1] + 128] * (double)anchor[3] + (double)anchor[1]);
        const float half_h = (float)(p->half_h[encodings[2] + 128] * (double)anchor[2]);
        const float half_w = (float)(p->half_w[encodings[3] + 128] * (double)anchor[3]);
        decoded[i].top = y - half_h;
        decoded[i].left = x - half_w;
        decoded[i].bottom = y + half_h;
        decoded[i].right = x + half_w;
        encodings += p->box_step;
        anchor += 4;
    }
}

static float larger(float a, float b)
{
    return a < b ? b : a;
}

static float smaller(float a, float b)
{
    return b < a ? b : a;
}

/* Intersection over union; 0 where one has no area. */
static float overlap(const struct corners *a, const struct corners *b)
{
    const float area_a = (a->bottom - a->top) * (a->right - a->left);
    const float area_b = (b->bottom - b->top) * (b->right - b->left);
    if (area_a <= 0.0f || area_b <= 0.0f) {
        return 0.0f;
    }
    const float height = larger(smaller(a->bottom, b->bottom) - larger(a->top, b->top), 0.0f);
    const float width = larger(smaller(a->right, b->right) - larger(a->left, b->left), 0.0f);
    const float both = height * width;
    return both / (area_a + area_b - both);
}

/* Candidates into w->order; how many there are. */
static uint32_t sort(const struct work *w, const struct mcu_detection_postprocess *p)
{
    for (uint32_t value = 0; value < VALUES; ++value) {
        w->starts[value] = 0;
    }
    uint32_t candidates = 0;
    for (uint32_t i = 0; i < p->boxes; ++i) {
        if (w->values[i] >= p->least) {
            w->starts[127 - w->values[i]] += 1;
            candidates += 1;
        }
    }
    uint32_t before = 0;
    for (uint32_t value = 0; value < VALUES; ++value) {
        const uint32_t count = w->starts[value];
        w->starts[value] = (uint16_t)before;
        before += count;
    }
    for (uint32_t i = 0; i < p->boxes; ++i) {
        if (w->values[i] >= p->least) {
            w->order[w->starts[127 - w->values[i]]++] = (uint16_t)i;
        }
    }
    return candidates;
}

/* Up to `most` boxes into w->selected, by w->values; how many there are. */
static uint32_t suppress(const struct work *w, const struct mcu_detection_postprocess *p, uint32_t most)
{
    const uint32_t candidates = sort(w, p);
    uint32_t selected = 0;
    for (uint32_t i = 0; i < candidates; ++i) {
        w->is_out[i] = 0;
    }
    for (uint32_t i = 0; i < candidates && selected < most; ++i) {
        if (w->is_out[i]) {
            continue;
        }
        w->selected[selected++] = w->order[i];
        for (uint32_t j = i + 1; j < candidates; ++j) {
            if (!w->is_out[j] && overlap(&w->decoded[w->order[i]], &w->decoded[w->order[j]]) > p->overlap) {
                w->is_out[j] = 1;
            }
        }
    }
    return selected;
}

/* All classes together: each box stands for the first of its best classes. */
static uint32_t find_together(const struct work *w, const int8_t *predictions, const struct mcu_detection_postprocess *p)
{
    const uint32_t background = p->columns - p->classes;
    for (uint32_t i = 0; i < p->boxes; ++i) {
        const int8_t *const row = predictions + i * p->columns + background;
        int8_t best = row[0];
        for (uint32_t c = 1; c < p->classes; ++c) {
            best = row[c] > best ? row[c] : best;
        }
        w->values[i] = best;
    }
    const uint32_t selected = suppress(w, p, p->detections);
    for (uint32_t k = 0; k < selected; ++k) {
        const uint32_t box = w->selected[k];
        const int8_t *const row = predictions + box * p->columns + background;
        uint32_t class = 0;
        while (row[class] != w->values[box]) {
            class += 1;
        }
        w->found[k].box = (uint16_t)box;
        w->found[k].class = (uint16_t)class;
        w->found[k].value = w->values[box];
    }
    return selected;
}

/* Each class by itself; what comes later stands behind equals. */
static uint32_t find_each(const struct work *w, const int8_t *predictions, const struct mcu_detection_postprocess *p)
{
    const uint32_t background = p->columns - p->classes;
    uint32_t count = 0;
    for (uint32_t class = 0; class < p->classes; ++class) {
        for (uint32_t i = 0; i < p->boxes; ++i) {
            w->values[i] = predictions[i * p->columns + background + class];
        }
        const uint32_t selected = suppress(w, p, p->of_a_class);
        for (uint32_t k = 0; k < selected; ++k) {
            const struct found each = {w->selected[k], (uint16_t)class, w->values[w->selected[k]]};
            uint32_t place = count + k;
            while (place > 0 && w->found[place - 1].value < each.value) {
                w->found[place] = w->found[place - 1];
                place -= 1;
            }
            w->found[place] = each;
        }
        count = count + selected < p->detections ? count + selected : p->detections;
    }
    return count;
}

void mcu_detection_postprocess_s8(float *boxes, float *classes, float *scores, float *count, const int8_t *encodings,
                                  const int8_t *predictions, const struct mcu_detection_postprocess *parameters,
                                  void *scratch)
{
    const struct mcu_detection_postprocess *const p = parameters;
    struct work w;
    w.decoded = scratch;
    w.found = (struct found *)(w.decoded + p->boxes);
    w.starts = (uint16_t *)(w.found + p->detections + p->of_a_class);
    w.order = w.starts + VALUES;
    w.selected = w.order + p->boxes;
    w.values = (int8_t *)(w.selected + p->detections);
    w.is_out = (uint8_t *)(w.values + p->boxes);
    decode(w.decoded, encodings, p);
    const uint32_t found = p->of_a_class ? find_each(&w, predictions, p) : find_together(&w, predictions, p);
    for (uint32_t k = 0; k < p->detections; ++k) {
        const struct corners none = {0.0f, 0.0f, 0.0f, 0.0f};
        const struct corners box = k < found ? w.decoded[w.found[k].box] : none;
        *boxes++ = box.top;
        *boxes++ = box.left;
        *boxes++ = box.bottom;
        *boxes++ = box.right;
        *classes++ = k < found ? (float)w.found[k].class : 0.0f;
        *scores++ = k < found ? p->scores[w.found[k].value + 128] : 0.0f;
    }
    *count = (float)found;
}
