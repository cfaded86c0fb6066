/** How a program gets into a network namespace, and what `ip` says when it does not. Pure. */
import { fail, type VsbError } from '../errors.ts';
import { packageOf } from './packages.ts';

/** `ip -n` and `ip netns exec` end with this when they could not enter the namespace. */
const IP_NETNS_FAILED = 255;
/** `ip netns exec` ends with this when it could not start the program (iproute2's cmd_exec). */
const IP_EXEC_FAILED = 1;

/**
 * The command that runs a program in a namespace: `ip` itself through `ip -n`, which is one process and leaves /sys
 * alone; all else through `ip netns exec`, which becomes the program, so the pid is the program's own.
 */
export function inNetns(
  netns: string | undefined,
  program: string,
  args: readonly string[],
): { readonly program: string; readonly args: readonly string[] } {
  if (netns === undefined) return { program, args };
  if (program === 'ip') return { program, args: ['-n', netns, ...args] };
  return { program: 'ip', args: ['netns', 'exec', netns, program, ...args] };
}

/**
 * Tells a failure of `ip` to enter the namespace from one of the program itself.
 * @returns NETNS_MISSING, NOT_PERMITTED or PROGRAM_MISSING; `undefined` where the program ran
 */
export function netnsFailure(
  netns: string,
  program: string,
  result: { readonly status: number; readonly stderr: string },
): VsbError | undefined {
  const first = result.stderr.split('\n', 1)[0] ?? '';
  if (result.status === IP_EXEC_FAILED && first.startsWith(`exec of "${program}" failed: No such file`)) {
    return fail('PROGRAM_MISSING', { program, debianPackage: packageOf(program) });
  }
  if (result.status !== IP_NETNS_FAILED) return undefined;
  if (first.startsWith('Cannot open network namespace') && first.includes('No such file')) {
    return fail('NETNS_MISSING', { netns });
  }
  if (/^(Cannot open network namespace|setting the network namespace|mount|unshare)\b/.test(first)) {
    if (/Operation not permitted|Permission denied/.test(first)) {
      return fail('NOT_PERMITTED', { what: `entering the network namespace "${netns}"` });
    }
  }
  return undefined;
}
