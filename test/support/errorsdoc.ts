/** docs/errors.md as the registry has it: what the generator writes, and what the test compares. */
import { readFileSync } from 'node:fs';
import { VsbError, errorCodes } from '../../src/errors.ts';

const HEAD = `# Errors

Every error has a code that stays, a message that says what, where and what to do, and an exit status: 1 failed, 64 wrong
usage, 78 invalid topology. On stderr it is \`vsb: error[CODE]: message\`; issues of a topology file are
\`FILE:LINE:COL: error[CODE]: message\`. \`--log-level debug\` adds where in the program it arose. In the library it is a
\`VsbError\` with \`code\`, \`details\`, \`exitStatus\` and \`httpStatus\`.

This page is written from the registry, \`src/errors.ts\`, by \`npx tsx scripts/generate-errors-doc.ts\`; a test compares them.
What stands in ‹angles› is filled in at run time.
`;

/** The whole page. */
export function renderErrorsDoc(): string {
  const statuses = new Map(errorCodes().map((entry) => [entry.code, entry]));
  const lines = [HEAD];
  for (const line of readFileSync('src/errors.ts', 'utf8').split('\n')) {
    const room = /^ {2}\/\/ --- (\w+)$/.exec(line)?.[1];
    if (room !== undefined) lines.push(`## ${room}\n`, '| code | exit | message |', '|---|---|---|');
    const code = /^ {2}([A-Z][A-Z0-9_]*): define/.exec(line)?.[1];
    const entry = errorCodes().find((each) => each.code === code);
    if (!entry) continue;
    statuses.delete(entry.code);
    const message = messageOf(entry.code).replaceAll('\n', ' ').replaceAll('|', '\\|');
    lines.push(`| \`${entry.code}\` | ${String(entry.exitStatus)} | ${message} |`);
  }
  if (statuses.size > 0) throw new Error(`not found in the source: ${[...statuses.keys()].join(', ')}`);
  return `${lines.join('\n').replaceAll('|\n##', '|\n\n##')}\n`;
}

/** The message with the names of its details in place of their values. */
function messageOf(code: ReturnType<typeof errorCodes>[number]['code']): string {
  const details = new Proxy({}, { get: (_, name) => placeholder(String(name)) });
  return new VsbError(code, details).message;
}

/** Stands for a text, a number or a list of a detail's name. */
function placeholder(name: string): unknown {
  const text = `‹${name}›`;
  const list = Object.assign([text], { toString: () => text, [Symbol.toPrimitive]: () => text });
  return new Proxy(list, {
    get: (target, member) => {
      const own: unknown = Reflect.get(target, member);
      if (own !== undefined) return own;
      const ofText: unknown = Reflect.get(Object(text) as object, member);
      return typeof ofText === 'function' ? (ofText as () => unknown).bind(text) : ofText;
    },
  });
}
