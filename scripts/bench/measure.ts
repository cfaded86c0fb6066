/** What the benchmarks share: processes of their own, medians, a ratio beside its target, a topology of any size. */
import { execFileSync } from 'node:child_process';

/** Runs a JavaScript file in a process of its own. @returns what it printed */
export function node(script: string, ...args: readonly string[]): string {
  return execFileSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  }).trim();
}

/** The middle of the values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

/** Prints one ratio of two things that were measured in the same run. */
export function printRatio(
  name: string,
  value: number | undefined,
  beside: number | undefined,
  target = '',
): void {
  if (value === undefined || beside === undefined) throw new Error(`${name}: nothing was measured`);
  console.log(`  ${name}: ${(value / beside).toFixed(2)} ×${target === '' ? '' : `   (target ${target} ×)`}`);
}

/** A topology of many VMs with one NIC each, on one bridge. */
export function manyVms(count: number): string {
  const vms = Array.from(
    { length: count },
    (_, index) => `  vm${String(index)}: { nics: [ { network: web } ] }`,
  );
  return `version: 1
name: bench
bridges: { br0: { datapath: netdev } }
networks: { web: { bridge: br0, vlan: 10, cidr: 10.0.0.0/16 } }
vms:
${vms.join('\n')}
`;
}
