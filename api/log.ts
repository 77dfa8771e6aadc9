import winston from 'winston';

export interface Log {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

function serializeErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return { name: value.name, message: value.message, stack: value.stack, ...('code' in value && { code: value.code }) };
}

/** JSON lines on stdout, one object a line, with `service` naming the process. */
export function openLog(service: string, level: string): Log {
  return winston.createLogger({
    level,
    defaultMeta: { service },
    format: winston.format.combine(winston.format.timestamp(), winston.format.json({ replacer: serializeErrors })),
    transports: [new winston.transports.Console()],
  });
}
