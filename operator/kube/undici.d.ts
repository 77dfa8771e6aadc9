// The parts of undici that are used. Its index also loads fetch, WebSocket, caches and mocks: 13 MB of memory for nothing.
declare module 'undici/lib/dispatcher/pool.js' {
  import type { Pool as Type } from 'undici';

  const Pool: typeof Type;
  export default Pool;
}

declare module 'undici/lib/dispatcher/agent.js' {
  import type { Agent as Type } from 'undici';

  const Agent: typeof Type;
  export default Agent;
}

declare module 'undici/lib/core/connect.js' {
  import type { buildConnector as Type } from 'undici';

  const buildConnector: typeof Type;
  export default buildConnector;
}

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici';

  function request(this: Dispatcher, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>;
  export default request;
}
