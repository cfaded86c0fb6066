#!/usr/bin/env node
/** The command line: which verbs there are. Each verb's file is loaded when it is called, or for the whole help. */
import { readFileSync } from 'node:fs';
import type { AddVerb } from './verb.ts';

/** Verb → its file, in the order of the help. */
const VERBS: Readonly<Record<string, () => Promise<{ add: AddVerb }>>> = {};

await main(process.argv);

async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', endOnClosedPipe);
  const version = readVersion();
  if (argv.length === 3 && (argv[2] === '--version' || argv[2] === '-V')) {
    process.stdout.write(`${version}\n`);
    return;
  }
  const { Command } = await import('commander');
  const program = new Command('vsb')
    .description('A switchboard for the virtual switches of a KVM host.')
    .version(version)
    .showHelpAfterError('(run with --help for usage)')
    .exitOverride();
  const called = VERBS[argv[2] ?? ''];
  for (const load of called ? [called] : Object.values(VERBS)) (await load()).add(program);
  try {
    await program.parseAsync(argv);
  } catch (thrown) {
    process.exitCode = exitStatusOfUsage(thrown);
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** commander has printed already; help and version end well, all else is wrong usage (64, EX_USAGE). */
function exitStatusOfUsage(thrown: unknown): number {
  if (thrown instanceof Error && 'exitCode' in thrown) return thrown.exitCode === 0 ? 0 : 64;
  throw thrown;
}

/** `vsb … | head` closes our stdout: that is an end, not a fault. */
function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}
