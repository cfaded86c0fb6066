#!/usr/bin/env node
/** The command line: reads the arguments and hands them to a verb (verbs.ts). */
import { readFileSync } from 'node:fs';

await main(process.argv);

async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', goOnUnheard);
  // Where errors cannot be told there is nobody to tell that.
  process.stderr.on('error', () => undefined);
  const version = readVersion();
  if (argv.length === 3 && (argv[2] === '--version' || argv[2] === '-V')) {
    process.stdout.write(`${version}\n`);
    return;
  }
  // --version needs none of this.
  const [{ Command }, { addVerb }] = await Promise.all([import('commander'), import('./verbs.ts')]);
  const program = new Command('vsb')
    .description('A switchboard for the virtual switches of a KVM host.')
    .version(version)
    .showHelpAfterError('(run with --help for usage)')
    .exitOverride();
  await addVerb(program, argv[2]);
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

/**
 * `vsb … | head` closes our stdout, which is an end for what only shows (watch.ts and guest/console.ts listen too), but
 * must not stop what changes something half-way: that goes on, and its exit status still tells how it went.
 */
function goOnUnheard(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return;
  // A full disk, for example. What was to be read is not there, however well the rest goes.
  process.stdout.off('error', goOnUnheard).on('error', () => undefined);
  process.stderr.write(`vsb: error[FILE_UNWRITABLE]: Cannot write the output: ${error.message}.\n`);
  process.once('exit', () => {
    process.exitCode = 1;
  });
}
