import winston from 'winston';

export type Fields = Record<string, unknown>;

/** Structured logging: a constant message and fields. Errors belong into the field `error`. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same logger with fields that every line then has. */
  child(fields: Fields): Logger;
}

export interface LoggerOptions {
  /** error, warn, info or debug; default: `LOG_LEVEL`, else info. */
  level?: string;
  /** Where lines go; default: standard error. */
  stream?: NodeJS.WritableStream;
}

/** A logger that writes one JSON object a line, with `time`, `level` and `message` first. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const level = (options.level ?? process.env['LOG_LEVEL'] ?? 'info').toLowerCase();
  const transport = new winston.transports.Stream({ stream: options.stream ?? process.stderr });
  const line = winston.format.printf(({ level: of, message, ...fields }) =>
    JSON.stringify({ time: new Date().toISOString(), level: of, message, ...fields }, replacer),
  );
  return adapt(winston.createLogger({ level, format: line, transports: [transport] }), {});
}

let root: Logger | undefined;

/** The logger of the process, for parts that were not given one. */
export function rootLogger(): Logger {
  root ??= createLogger();
  return root;
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

function adapt(target: winston.Logger, bound: Fields): Logger {
  return {
    debug: (message, fields) => void target.debug({ ...bound, ...fields, message }),
    info: (message, fields) => void target.info({ ...bound, ...fields, message }),
    warn: (message, fields) => void target.warn({ ...bound, ...fields, message }),
    error: (message, fields) => void target.error({ ...bound, ...fields, message }),
    child: (fields) => adapt(target, { ...bound, ...fields }),
  };
}

/** Errors have no enumerable fields of their own: spells them out, with their codes and causes. */
function replacer(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return Object.assign({}, value, { name, message, stack }, cause === undefined ? {} : { cause });
}
