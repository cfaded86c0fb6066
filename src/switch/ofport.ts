/**
 * OpenFlow port numbers that stay with a NIC, so that its flows outlive a tap that comes and goes. Pure.
 * The upper half is ours: Open vSwitch numbers from 1 up by itself, and 0xff00 and above are reserved
 * (OpenFlow 1.3.5 §7.2.1).
 */
import type { ObservedSwitch } from './observed.ts';
import type { PortSpec } from './portspec.ts';

const FIRST = 0x8000;
const COUNT = 0xff00 - FIRST;

/** Gives numbers on one bridge; the same names get the same numbers where no other NIC has them. */
export class OfportAllocator {
  readonly #taken = new Set<number>();

  constructor(taken: Iterable<number>) {
    for (const number of taken) this.#taken.add(number);
  }

  /** @returns a free number for the name, or `undefined` where all 32,512 are taken. */
  allocate(name: string): number | undefined {
    if (this.#taken.size >= COUNT) return undefined;
    let number = FIRST + (fnv1a(name) % COUNT);
    while (this.#taken.has(number)) number = number + 1 < FIRST + COUNT ? number + 1 : FIRST;
    this.#taken.add(number);
    return number;
  }
}

/**
 * The allocator of each bridge. Taken on a bridge are the numbers that its ports ask for, and those of ports that come to
 * it from another one and keep theirs.
 */
export function ofportAllocators(
  specs: readonly PortSpec[],
  observed: ObservedSwitch,
): (bridge: string) => OfportAllocator {
  const taken = new Map<string, number[]>();
  const take = (bridge: string, number: number | undefined): void => {
    if (number === undefined) return;
    const numbers = taken.get(bridge);
    if (numbers) numbers.push(number);
    else taken.set(bridge, [number]);
  };
  for (const { bridge, interfaces } of observed.ports.values()) {
    for (const { ofportRequest } of interfaces) take(bridge, ofportRequest);
  }
  for (const { name, bridge } of specs) {
    const there = observed.ports.get(name);
    if (there && there.bridge !== bridge) take(bridge, there.interfaces[0]?.ofportRequest);
  }
  const allocators = new Map<string, OfportAllocator>();
  return (bridge) => {
    const allocator = allocators.get(bridge) ?? new OfportAllocator(taken.get(bridge) ?? []);
    allocators.set(bridge, allocator);
    return allocator;
  };
}

/** FNV-1a, 32 bits: spreads names evenly and needs no more. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
