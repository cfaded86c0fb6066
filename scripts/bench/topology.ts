/**
 * How long a large topology takes from text to desired state, as a multiple of parsing its YAML alone, both measured in
 * this run. Processor time, so that a busy machine counts less. `npx tsx scripts/bench/topology.ts`
 */
import { load } from 'js-yaml';
import { readTopology } from '../../src/topology/read.ts';
import { resolve } from '../../src/topology/resolve.ts';

const VMS = 5000;
const ROUNDS = 5;

const text = `version: 1
name: bench
bridges: { br0: }
networks: { lan: { bridge: br0, vlan: 10, cidr: 10.1.0.0/16 } }
vms:
${Array.from({ length: VMS }, (_, index) => `  vm${String(index)}: { nics: [ { network: lan } ] }`).join('\n')}
`;

const whole: number[] = [];
const yaml: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  whole.push(
    cpuMs(() => {
      const result = readTopology(text, '/bench.vsb.yaml');
      if (!result.ok) throw new Error(result.issues[0]?.message);
      resolve(result.topology);
    }),
  );
  yaml.push(cpuMs(() => load(text)));
}
const ms = (value: number | undefined): string => `${(value ?? 0).toFixed(0)} ms`;
const ratio = Math.min(...whole) / Math.min(...yaml);
process.stdout.write(
  `${String(VMS)} VMs, ${String(Math.round(text.length / 1000))} kB: first ${ms(whole[0])}, ` +
    `best ${ms(Math.min(...whole))}; YAML alone best ${ms(Math.min(...yaml))}; ratio ${ratio.toFixed(1)}\n`,
);

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
