/**
 * Large objects of a message, read some members at a time: a database's first copy never stands in memory as one tree of
 * JSON, which would take as long to collect as to parse. Where they are in the message is framing.ts's finding.
 */
import { randomUUID } from 'node:crypto';
import { fail } from '../errors.ts';
import type { Frame, LargeObject } from './framing.ts';
import { markIntegers } from './integers.ts';

/** An object that is read in batches. */
export class Members {
  readonly #frame: Frame;
  readonly #object: LargeObject;

  constructor(frame: Frame, object: LargeObject) {
    this.#frame = frame;
    this.#object = object;
  }

  /** All members, some in each batch, in order; each is parsed when it is asked for. @throws JSONRPC_SYNTAX */
  *batches(): IterableIterator<Readonly<Record<string, unknown>>> {
    const { start, end, commas } = this.#object;
    let from = start + 1;
    for (const to of [...commas, end]) {
      const text = this.#frame.slice(from, to);
      // As braces around nothing it would pass: two commas in a row, or one before the end.
      if (!/\S/.test(text)) throw fail('JSONRPC_SYNTAX', { why: 'it is no JSON' });
      yield parseJson(`{${text}}`, this.#frame.hasLongNumber) as Record<string, unknown>;
      from = to + 1;
    }
  }
}

/** What stands for a large object in the text around it. No peer can know it, and so none can say it. */
const MARK = `large object ${randomUUID()} `;

/**
 * A message with its large objects as {@link Members}, of which those are found that are a member, or a member's member,
 * of its result.
 * @returns `undefined` where one is elsewhere: then only the whole can be parsed
 * @throws JSONRPC_SYNTAX
 */
export function parseAround(frame: Frame): unknown {
  let text = '';
  let from = 0;
  frame.largeObjects.forEach(({ start, end }, index) => {
    text += `${frame.slice(from, start)}"${MARK}${String(index)}"`;
    from = end + 1;
  });
  text += frame.slice(from, frame.byteLength);
  const message = parseJson(text, frame.hasLongNumber) as { result?: unknown };
  const found = putMembers(message.result, frame, 2);
  return found === frame.largeObjects.length ? message : undefined;
}

function putMembers(value: unknown, frame: Frame, levels: number): number {
  if (typeof value !== 'object' || value === null || levels === 0) return 0;
  let found = 0;
  const container = value as Record<string, unknown>;
  for (const name in container) {
    const member = container[name];
    if (typeof member === 'string' && member.startsWith(MARK)) {
      const object = frame.largeObjects[Number(member.slice(MARK.length))];
      if (!object) continue;
      container[name] = new Members(frame, object);
      found += 1;
    } else found += putMembers(member, frame, levels - 1);
  }
  return found;
}

/** @throws JSONRPC_SYNTAX */
export function parseJson(text: string, hasLongNumber: boolean): unknown {
  try {
    return JSON.parse(hasLongNumber ? markIntegers(text) : text);
  } catch (cause) {
    throw fail('JSONRPC_SYNTAX', { why: 'it is no JSON' }, { cause });
  }
}
