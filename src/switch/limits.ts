/**
 * Whether the kernel has the limits that the database holds. Open vSwitch says it in its log only; tc(8) tells.
 * linux-htb is the cap on what a VM receives, an ingress filter that polices the cap on what it sends.
 */
import type { Finding } from '../domain.ts';
import { fail } from '../errors.ts';
import { run } from '../process/run.ts';
import type { PortSpec } from './portspec.ts';

/** tc answers from memory of the kernel; more than this is a fault. */
const TC_TIMEOUT_MS = 10_000;

/** One finding for each limit of these ports that is not in effect. */
export async function limitFindings(
  specs: readonly PortSpec[],
  options: { readonly netns: string | undefined; readonly signal?: AbortSignal },
): Promise<Finding[]> {
  const limited = specs.filter((spec) => spec.maxRate !== undefined || spec.policingRateKbps > 0n);
  if (limited.length === 0) return [];
  const qdiscs = await shapedDevices(options);
  const findings: Finding[] = [];
  for (const spec of limited) {
    if (spec.maxRate !== undefined && !qdiscs.has(spec.name)) {
      findings.push(toFinding(spec, 'received', 'the kernel has no linux-htb queue on it (sch_htb)'));
    }
    if (spec.policingRateKbps > 0n && !(await isPoliced(spec.name, options))) {
      const why = 'the kernel cannot police it (act_police with cls_matchall or cls_basic)';
      findings.push(toFinding(spec, 'sent', why));
    }
  }
  return findings;
}

/** The devices whose root queue is linux-htb. */
async function shapedDevices(options: {
  readonly netns: string | undefined;
  readonly signal?: AbortSignal;
}): Promise<ReadonlySet<string>> {
  const listed = await tc(['-j', 'qdisc', 'show'], options);
  const devices = new Set<string>();
  for (const qdisc of listed) {
    if (qdisc['kind'] === 'htb' && qdisc['root'] === true && typeof qdisc['dev'] === 'string') {
      devices.add(qdisc['dev']);
    }
  }
  return devices;
}

async function isPoliced(
  device: string,
  options: { readonly netns: string | undefined; readonly signal?: AbortSignal },
): Promise<boolean> {
  return (await tc(['-j', 'filter', 'show', 'dev', device, 'ingress'], options)).length > 0;
}

/** What tc lists; empty where it knows no such device. */
async function tc(
  args: readonly string[],
  options: { readonly netns: string | undefined; readonly signal?: AbortSignal },
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { netns, signal } = options;
  const { status, stdout } = await run('tc', args, { timeoutMs: TC_TIMEOUT_MS, netns, signal });
  if (status !== 0 || stdout.trim() === '') return [];
  const listed: unknown = JSON.parse(stdout);
  return Array.isArray(listed) ? (listed as Readonly<Record<string, unknown>>[]) : [];
}

function toFinding(spec: PortSpec, direction: 'sent' | 'received', why: string): Finding {
  const { message } = fail('LIMIT_NOT_IN_EFFECT', { port: spec.nic ?? spec.name, direction, why });
  return {
    domain: 'switch',
    code: 'LIMIT_NOT_IN_EFFECT',
    kind: 'Port',
    name: spec.name,
    ...(spec.nic === undefined ? {} : { nic: spec.nic }),
    message,
  };
}
