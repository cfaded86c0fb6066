/** JSON with its numbers kept as they were written, read by a way that the code under test does not share. */

/** A number as it stood in the text. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** What no text of the server starts with: U+0000 is not allowed in OVSDB. */
const MARK = '\u0000#';

/** Parses a JSON text; every number becomes a {@link NumberText}. */
export function parseLossless(text: string): unknown {
  const marked = text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `"\\u0000#${token}"`));
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? new NumberText(value.slice(MARK.length)) : value,
  );
}

/** Cuts a stream of JSON texts that follow each other without a separator, as OVSDB sends them. */
export class TextCutter {
  #pending: Buffer = Buffer.alloc(0);
  #at = 0;
  #depth = 0;
  #inString = false;

  /** @returns the texts that are complete now, as they came */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const texts: Buffer[] = [];
    let start = 0;
    let at = this.#at;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (this.#inString) {
        if (byte === 0x5c) at += 1;
        else if (byte === 0x22) this.#inString = false;
      } else if (byte === 0x22) this.#inString = true;
      else if (byte === 0x7b || byte === 0x5b) this.#depth += 1;
      else if (byte === 0x7d || byte === 0x5d) {
        this.#depth -= 1;
        if (this.#depth === 0) {
          texts.push(bytes.subarray(start, at + 1));
          start = at + 1;
        }
      }
    }
    this.#pending = bytes.subarray(start);
    this.#at = at - start;
    return texts;
  }
}
