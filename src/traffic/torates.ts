/** From readings to rates, port by port. The arithmetic, and what makes it impossible, is rates.ts's. */
import { map, scan, type OperatorFunction } from 'rxjs';
import type { VsbError } from '../errors.ts';
import type { Reading } from './portsamples.ts';
import { ratesBetween, type PortSample, type RatedSample } from './rates.ts';

/** A bridge that could not be read. */
export interface BridgeLoss {
  readonly bridge: string;
  readonly error: VsbError;
}

/** A reading with rates. */
export interface RatedReading {
  readonly at: Date;
  readonly atMs: number;
  /** Ports of the bridges that could be read. */
  readonly ports: readonly RatedSample[];
  readonly losses: readonly BridgeLoss[];
}

/**
 * Compares every port with itself in the reading before. A port that was not in it, since its bridge was lost or it was
 * not there, starts again without a rate.
 */
export function toRates(): OperatorFunction<Reading, RatedReading> {
  return (readings$) =>
    readings$.pipe(
      scan(compare, { samples: new Map(), rated: undefined }),
      map(({ rated }) => rated ?? EMPTY),
    );
}

interface Compared {
  /** Of the reading before, by bridge and port name. */
  readonly samples: ReadonlyMap<string, PortSample>;
  readonly rated: RatedReading | undefined;
}

const EMPTY: RatedReading = { at: new Date(0), atMs: 0, ports: [], losses: [] };

function compare({ samples: before }: Compared, { at, atMs, bridges }: Reading): Compared {
  const samples = new Map<string, PortSample>();
  const ports: RatedSample[] = [];
  const losses: BridgeLoss[] = [];
  for (const reading of bridges) {
    switch (reading.outcome) {
      case 'lost':
        losses.push({ bridge: reading.bridge, error: reading.error });
        break;
      case 'read':
        for (const sample of reading.samples) {
          const key = `${sample.bridge}/${sample.port}`;
          samples.set(key, sample);
          ports.push(ratesBetween(before.get(key), sample));
        }
    }
  }
  return { samples, rated: { at, atMs, ports, losses } };
}
