/* A board's side of the bridge, written from docs/bridge.md alone: it stands on its standard input and output,
 * says hello, asks for one poll and prints on its standard error what came. Console text is mixed in on purpose. */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PART_BYTES 512
#define FRAME_CHARS 800

struct frame { char token[17], kind; unsigned long id, part, parts, length; unsigned char data[PART_BYTES]; };

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t crc32(const char *text, size_t length) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t at = 0; at < length; at++) {
        crc ^= (unsigned char)text[at];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

static size_t to_base64(const unsigned char *data, size_t length, char *text) {
    size_t out = 0;
    for (size_t at = 0; at < length; at += 3) {
        uint32_t three = (uint32_t)data[at] << 16;
        if (at + 1 < length) three |= (uint32_t)data[at + 1] << 8;
        if (at + 2 < length) three |= data[at + 2];
        text[out++] = DIGITS[three >> 18];
        text[out++] = DIGITS[three >> 12 & 63];
        text[out++] = at + 1 < length ? DIGITS[three >> 6 & 63] : '=';
        text[out++] = at + 2 < length ? DIGITS[three & 63] : '=';
    }
    text[out] = 0;
    return out;
}

static long from_base64(const char *text, unsigned char *data, size_t room) {
    size_t out = 0;
    uint32_t bits = 0;
    int held = 0;
    for (; *text && *text != '='; text++) {
        const char *digit = strchr(DIGITS, *text);
        if (!digit) return -1;
        bits = bits << 6 | (uint32_t)(digit - DIGITS);
        held += 6;
        if (held >= 8) {
            if (out == room) return -1;
            held -= 8;
            data[out++] = (unsigned char)(bits >> held);
        }
    }
    return (long)out;
}

static void say(const char *token, char kind, unsigned long id, unsigned long part, unsigned long parts,
                const unsigned char *data, size_t length) {
    char text[FRAME_CHARS], base64[FRAME_CHARS], line[4 * FRAME_CHARS];
    int head = sprintf(text, "%s:%c:%lu:%lu:%lu:%lu:", token, kind, id, part, parts, (unsigned long)length);
    to_base64(data, length, base64);
    int head_chars = head;
    strcpy(text + head, base64);
    uint32_t crc = crc32(text, strlen(text));
    text[head_chars] = 0;
    int chars = sprintf(line, "[    1.5] kernel: on the same ~ line ~fb1:%s%08x:%s~\r\n", text, crc, base64);
    if (write(1, line, (size_t)chars) != chars) exit(3);
}

static int read_frame(char *text, struct frame *frame) {
    char *field[8], *next = text;
    for (int number = 0; number < 8; number++) {
        field[number] = next;
        if (number == 7) break;
        next = strchr(next, ':');
        if (!next) return 0;
        *next++ = 0;
    }
    char signed_text[4 * FRAME_CHARS];
    sprintf(signed_text, "%s:%s:%s:%s:%s:%s:%s", field[0], field[1], field[2], field[3], field[4], field[5], field[7]);
    if (crc32(signed_text, strlen(signed_text)) != strtoul(field[6], NULL, 16) || strlen(field[0]) != 16) return 0;
    strcpy(frame->token, field[0]);
    frame->kind = field[1][0];
    frame->id = strtoul(field[2], NULL, 10);
    frame->part = strtoul(field[3], NULL, 10);
    frame->parts = strtoul(field[4], NULL, 10);
    frame->length = strtoul(field[5], NULL, 10);
    return from_base64(field[7], frame->data, PART_BYTES) == (long)frame->length;
}

/* The next frame within a second; 0 when none came. */
static int hear(struct frame *frame) {
    static char held[FRAME_CHARS + 1];
    static size_t length = 0;
    struct pollfd line = {0, POLLIN, 0};
    while (poll(&line, 1, 1000) > 0) {
        char byte;
        if (read(0, &byte, 1) != 1) exit(4);
        if (byte != '~' && byte != '\r' && byte != '\n' && length < FRAME_CHARS) { held[length++] = byte; continue; }
        held[length] = 0;
        length = 0;
        if (byte == '~' && !strncmp(held, "tb1:", 4) && read_frame(held + 4, frame)) return 1;
    }
    return 0;
}

int main(int count, char **given) {
    static char answer[1 << 20];
    size_t length = 0;
    unsigned long wanted = 0;
    struct frame frame;
    const char *own = "00c0ffee00c0ffee", *asked = count > 1 ? given[1] : "{}";
    char token[17] = "";
    while (!*token) {
        say(own, 'H', 0, 0, 1, NULL, 0);
        if (hear(&frame) && frame.kind == 'W' && frame.length == 16 && !memcmp(frame.data, own, 16))
            strcpy(token, frame.token);
    }
    size_t chars = strlen(asked), parts = chars ? (chars + PART_BYTES - 1) / PART_BYTES : 1;
    for (size_t part = 0; part < parts;) {
        size_t begin = part * PART_BYTES, size = chars - begin < PART_BYTES ? chars - begin : PART_BYTES;
        say(token, 'M', 1, part, parts, (const unsigned char *)asked + begin, size);
        if (hear(&frame) && frame.kind == 'A' && frame.id == 1 && frame.part == part && !strcmp(frame.token, token)) part++;
    }
    do {
        if (!hear(&frame) || frame.kind != 'M' || strcmp(frame.token, token) || frame.part > wanted) continue;
        if (frame.part == wanted && length + frame.length < sizeof answer) {
            memcpy(answer + length, frame.data, frame.length);
            length += frame.length;
            wanted++;
        }
        say(token, 'A', frame.id, frame.part, frame.parts, NULL, 0);
    } while (wanted == 0 || wanted < frame.parts);
    return fwrite(answer, 1, length, stderr) == length ? 0 : 5;
}
