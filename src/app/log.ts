/** The log, on winston: to stderr, for people. Loaded at the first message that is to be seen. */
import type { Logger } from 'winston';
import { toPrintable } from '../units/printable.ts';
import type { LogLevel } from './settings.ts';

/** Says something at a level. */
export type Log = (level: LogLevel, message: string) => void;

const SEVERITY: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** A log that shows messages of this level and graver ones. */
export function createLog(level: LogLevel): Log {
  // winston takes as long to load as all of a short verb's own work, and most runs have nothing to say.
  let logger: Promise<Logger> | undefined;
  return (severity, message) => {
    if (SEVERITY[severity] > SEVERITY[level]) return;
    logger ??= createLogger(level);
    void logger.then((ready) => ready.log(severity, message));
  };
}

async function createLogger(level: LogLevel): Promise<Logger> {
  const { createLogger: create, format, transports } = await import('winston');
  return create({
    level,
    format: format.combine(
      format.timestamp(),
      format.printf(
        (info) => `${String(info['timestamp'])} ${info.level}: ${toPrintable(String(info.message))}`,
      ),
    ),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types it as an interface
    transports: [new transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })],
  });
}
