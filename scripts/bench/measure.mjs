/** What the benchmarks share: medians, a ratio beside its target, a topology of any size. */

/** The middle of the values. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

/** Prints one ratio of two things that were measured in the same run. */
export function printRatio(name, value, beside, target = '') {
  if (value === undefined || beside === undefined) throw new Error(`${name}: nothing was measured`);
  console.log(`  ${name}: ${(value / beside).toFixed(2)} ×${target === '' ? '' : `   (target ${target} ×)`}`);
}

/** A topology of many VMs with one NIC each, on one bridge. */
export function manyVms(count) {
  const vms = Array.from({ length: count }, (_, index) => `  vm${index}: { nics: [ { network: web } ] }`);
  return `version: 1
name: bench
bridges: { br0: { datapath: netdev } }
networks: { web: { bridge: br0, vlan: 10, cidr: 10.0.0.0/16 } }
vms:
${vms.join('\n')}
`;
}
