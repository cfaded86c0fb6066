/** Reads the network devices of a namespace: `ip -j -d link show` (ip-link(8)). */
import { z } from 'zod';
import { fail } from '../errors.ts';
import { runOrFail } from '../process/run.ts';
import type { ObservedDevice, ObservedHost } from './types.ts';

/** 1,000 taps take 30 ms; this is for a machine that is stuck. */
const TIMEOUT_MS = 30_000;

/** Only what is used: iproute2 adds members from release to release. */
const linksSchema = z.array(
  z.object({
    ifname: z.string(),
    flags: z.array(z.string()),
    ifalias: z.string().optional(),
    group: z.string().default('default'),
    mtu: z.number(),
    address: z.string().optional(),
    link_type: z.string().optional(),
    master: z.string().optional(),
    // null where it is in another namespace, or a device of the hardware has none.
    link: z.string().nullish(),
    linkinfo: z
      .object({
        info_kind: z.string().optional(),
        info_data: z
          .object({
            type: z.string().optional(),
            multi_queue: z.boolean().optional(),
            mode: z.string().optional().catch(undefined),
          })
          .optional(),
      })
      .optional(),
  }),
);

/**
 * The devices of a network namespace; `undefined` is the one that we run in.
 * @throws PROGRAM_MISSING, PROGRAM_FAILED, PROGRAM_TIMEOUT, NETNS_MISSING, NOT_PERMITTED, CANCELLED
 */
export async function observeHost(netns: string | undefined, signal?: AbortSignal): Promise<ObservedHost> {
  const text = await runOrFail('ip', ['-j', '-d', 'link', 'show'], { timeoutMs: TIMEOUT_MS, netns, signal });
  return { devices: new Map(decodeLinks(text).map((device) => [device.name, device])) };
}

/**
 * Reads what `ip -j -d link show` prints.
 * @throws INTERNAL where it is something else
 */
export function decodeLinks(text: string): ObservedDevice[] {
  const decoded = linksSchema.safeParse(JSON.parse(text));
  if (!decoded.success) {
    throw fail('INTERNAL', {
      what: `"ip -j -d link show" printed what vsb cannot read: ${decoded.error.message}`,
    });
  }
  return decoded.data.map((link) => {
    const kind = link.linkinfo?.info_kind ?? 'device';
    return {
      name: link.ifname,
      // The kernel has one kind, "tun", for both; `type` tells which.
      kind: kind === 'tun' ? (link.linkinfo?.info_data?.type ?? kind) : kind,
      isUp: link.flags.includes('UP'),
      hasCarrier: link.flags.includes('LOWER_UP'),
      alias: link.ifalias,
      group: link.group,
      mtu: link.mtu,
      mac: link.link_type === 'ether' ? link.address : undefined,
      master: link.master,
      lower: link.link ?? undefined,
      multiQueue: link.linkinfo?.info_data?.multi_queue ?? false,
      mode: link.linkinfo?.info_data?.mode,
    };
  });
}
