// Made by `npm run protocol` from aumos_governance/server/openapi.yaml; edit that.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description Decimal text in US dollars. */
    readonly Amount: string;
    /** @enum {unknown} */
    readonly Outcome: 'allow' | 'deny' | 'allow_with_caveat';
    readonly State: {
      readonly path: string;
      readonly active: boolean;
      readonly session_id: string | null;
      readonly trust_level: number | null;
      readonly trust_label: string | null;
      readonly budget: components['schemas']['Amount'] | null;
      readonly spent: components['schemas']['Amount'] | null;
      readonly held: components['schemas']['Amount'] | null;
      readonly remaining: components['schemas']['Amount'] | null;
      readonly over: components['schemas']['Amount'] | null;
      readonly agent_id: string | null;
      /** @description The user who set a value, or `kernel` or `server` where no user did. */
      readonly set_by: string | null;
      readonly shared_with: string | null;
      /** @description Counts the notebook's changes over all its sessions, those of its holds, approvals and reports included. */
      readonly seq: number;
    };
    readonly Change: {
      readonly trust_level?: number | null;
      readonly budget?: components['schemas']['Amount'] | number | null;
      readonly agent_id?: string | null;
    };
    readonly NotebookPage: {
      readonly notebooks: readonly components['schemas']['State'][];
      readonly after: string | null;
    };
    readonly Kernels: {
      readonly kernels: readonly {
        readonly id: string;
        /** @description The path of the notebook whose session the kernel uses. */
        readonly notebook: string;
        /** @description False for one that the server cannot govern, as a gateway's; its requests fail. */
        readonly reachable: boolean;
        /**
         * @description The transport of its last request; null where its process has made none yet.
         * @enum {unknown}
         */
        readonly transport: 'socket' | 'comm' | null;
        /**
         * @description The names of the variables in its environment that hold a provider's own key, for which no key of the
         *     gateway stands in: calls with it that do not use `govern()` are neither limited nor recorded.
         */
        readonly foreign_keys: readonly string[];
      }[];
    };
    readonly ExampleFolder: {
      /** @description The path of an existing folder; the root where it is left out. */
      readonly folder?: string;
    };
    readonly ExampleCopy: {
      readonly path: string;
    };
    readonly Config: {
      readonly version: string;
      readonly default_budget: components['schemas']['Amount'];
      readonly default_trust_level: number;
      readonly max_budget: components['schemas']['Amount'] | null;
      readonly max_trust_level: number;
      readonly warn_at: readonly string[];
      readonly strict: boolean;
      readonly autostart: boolean;
      /**
       * @description What becomes of a call that only a limit on money refuses, where its notebook does not say: it is denied, or waits for a user.
       * @enum {unknown}
       */
      readonly at_limit: 'deny' | 'ask';
      /** @description On a server whose users have no names of their own (a token or password alone opens it), the name under which records show its user; else null. */
      readonly user: string | null;
      /** @description The models' prices in the server's environment; null where genai-prices is not installed. */
      readonly price_data: components['schemas']['PriceData'] | null;
      /**
       * @description The ceilings that servers share (kinds team and owner) which stand otherwise than this server is configured.
       *     What stands counts; only a user changes it, by the command line.
       */
      readonly ceilings_differ: readonly components['schemas']['CeilingDifference'][];
      /** @description The gateway to providers' APIs; null where none is configured. */
      readonly gateway: components['schemas']['Gateway'] | null;
    };
    readonly Gateway: {
      /** @description Where it listens, on the loopback interface of the server's machine. */
      readonly address: string;
      readonly providers: readonly components['schemas']['GatewayProvider'][];
    };
    readonly GatewayProvider: {
      /** @description As it is in the path of requests, `/llm/<name>/`. */
      readonly name: string;
      /**
       * @description Whose API it speaks.
       * @enum {unknown}
       */
      readonly api: 'openai' | 'anthropic' | 'google';
      /** @description Patterns of the models that may be called; empty for all. */
      readonly models: readonly string[];
      /** @description Patterns of models that may not be called. */
      readonly denied_models: readonly string[];
    };
    readonly CeilingDifference: {
      readonly name: string;
      /** @enum {unknown} */
      readonly kind: 'owner' | 'team';
      /** @description Null where this server is configured with no such envelope. */
      readonly configured: components['schemas']['CeilingFigures'] | null;
      /** @description Empty where the ceiling was lifted; several only where servers of earlier versions disagreed. */
      readonly stands: readonly components['schemas']['CeilingFigures'][];
    };
    readonly CeilingFigures: {
      readonly limit: components['schemas']['Amount'];
      /** @enum {unknown} */
      readonly period: 'daily' | 'weekly' | 'monthly' | 'yearly' | 'lifetime';
    };
    readonly PriceData: {
      /** @enum {unknown} */
      readonly source: 'installed' | 'fetched';
      /** @description Of genai-prices. */
      readonly version: string;
      /**
       * Format: date
       * @description The day of the newest price that applied when the data was made, or the day it was fetched.
       */
      readonly as_of: string;
      readonly age_days: number;
      /** @description Older than 90 days. */
      readonly old: boolean;
    };
    readonly Cell: {
      readonly id: string | null;
      readonly count: number | null;
    };
    readonly Envelopes: {
      readonly envelopes: readonly components['schemas']['Envelope'][];
    };
    readonly Envelope: {
      readonly name: string;
      /** @enum {unknown} */
      readonly kind: 'notebook' | 'owner' | 'server' | 'team';
      /** @enum {unknown} */
      readonly period: 'daily' | 'weekly' | 'monthly' | 'yearly' | 'lifetime';
      /**
       * Format: date-time
       * @description Null for a ceiling that has no period.
       */
      readonly period_start: string | null;
      readonly limit: components['schemas']['Amount'];
      readonly spent: components['schemas']['Amount'];
      readonly held: components['schemas']['Amount'];
      readonly remaining: components['schemas']['Amount'];
      readonly over: components['schemas']['Amount'];
      readonly charges: number;
    };
    readonly HoldPage: {
      readonly holds: readonly components['schemas']['Hold'][];
      readonly after: string | null;
    };
    readonly Hold: {
      readonly id: string;
      readonly notebook: string;
      readonly session_id: string;
      /** @enum {unknown} */
      readonly state: 'held' | 'unresolved';
      readonly tool: string;
      readonly amount: components['schemas']['Amount'];
      readonly agent_id: string | null;
      readonly category: string | null;
      readonly cell: components['schemas']['Cell'];
      /** Format: date-time */
      readonly at: string;
      /**
       * Format: date-time
       * @description When it is released by itself; null for never.
       */
      readonly until: string | null;
    };
    readonly Settlement: {
      readonly amount: components['schemas']['Amount'] | number;
    };
    readonly ResolutionResponse: {
      readonly resolution: components['schemas']['Resolution'];
      readonly state: components['schemas']['State'] | null;
    };
    readonly Resolution: {
      readonly hold_id: string;
      /** @enum {unknown} */
      readonly outcome: 'settled' | 'released';
      readonly held: components['schemas']['Amount'];
      readonly spent: components['schemas']['Amount'];
      readonly overrun: boolean;
      readonly estimated: boolean;
      readonly record_id: string;
    };
    readonly ApprovalPage: {
      readonly approvals: readonly components['schemas']['Approval'][];
      readonly after: string | null;
    };
    readonly Approval: {
      readonly id: string;
      readonly notebook: string;
      readonly session_id: string;
      /** @enum {unknown} */
      readonly status: 'pending' | 'approved' | 'denied' | 'withdrawn' | 'used';
      readonly digest: string;
      /** @description What the user sees, as the client wrote it; null once it is decided. */
      readonly shown: unknown;
      readonly tool: string;
      readonly amount: components['schemas']['Amount'];
      readonly agent_id: string | null;
      readonly cell: components['schemas']['Cell'];
      /** Format: date-time */
      readonly at: string;
      /**
       * Format: date-time
       * @description When it is withdrawn by itself; null for never.
       */
      readonly until: string | null;
      /** Format: date-time */
      readonly decided_at: string | null;
      readonly decided_by: string | null;
    };
    readonly LimitRequests: {
      readonly limit_requests: readonly components['schemas']['LimitRequest'][];
    };
    /** @description The calls of one session that wait at a limit on money. */
    readonly LimitRequest: {
      /** @description The session's, by which its calls are denied. */
      readonly id: string;
      readonly notebook: string;
      readonly session_id: string;
      /** @description How many calls wait. What follows is of the first, but for `needs_all`. */
      readonly count: number;
      readonly limit: {
        /** @description `session` for the notebook's budget, `category` for a budget within it, else the kind of a ceiling around it. */
        readonly kind: string;
        /** @description The category's or the ceiling's; empty for the notebook's budget. */
        readonly name: string;
        readonly allowed: components['schemas']['Amount'];
      };
      readonly tool: string;
      readonly amount: components['schemas']['Amount'];
      /** @description By how much the limit would have to be higher for the first call. */
      readonly needs: components['schemas']['Amount'];
      /** @description By how much it would have to be higher for all calls together. */
      readonly needs_all: components['schemas']['Amount'];
      readonly agent_id: string | null;
      readonly cell: components['schemas']['Cell'];
      /**
       * Format: date-time
       * @description Since when the first waits.
       */
      readonly at: string;
      /**
       * Format: date-time
       * @description When the first is denied by itself.
       */
      readonly until: string;
    };
    readonly DeniedAtLimit: {
      readonly denied: number;
    };
    /** @description A valid key of the gateway, without the key itself. */
    readonly GatewayKey: {
      /** @description Random, and no secret. */
      readonly id: string;
      /**
       * @description What it was issued to; `user` is a program of the user's own.
       * @enum {unknown}
       */
      readonly kind: 'kernel' | 'terminal' | 'user' | 'run';
      readonly name: string;
      /**
       * @description The notebook whose level and budget count, or the document of a key of the kind `user`; null where a terminal
       *     has no notebook yet, or the notebook was deleted.
       */
      readonly path: string | null;
      readonly kernel_id: string | null;
      /** @description The terminal's name. */
      readonly terminal: string | null;
      /** @description Null for a moment, while it is being stored. */
      readonly issued_at: string | null;
      /** @description The user, or `server`. */
      readonly issued_by: string;
    };
    readonly GatewayKeys: {
      /** @description Whether the server has a gateway. */
      readonly enabled: boolean;
      readonly keys: readonly components['schemas']['GatewayKey'][];
    };
    readonly NewKey: {
      /** @enum {unknown} */
      readonly kind?: 'user' | 'run';
      /** @description For `user` letters, digits, spaces, dots, hyphens and underscores. */
      readonly name: string;
      /** @description For `run`, the notebook. */
      readonly path?: string;
      readonly trust_level?: number | null;
      readonly budget?: components['schemas']['Amount'] | number | null;
    };
    readonly CreatedKey: {
      readonly key: components['schemas']['GatewayKey'];
      /** @description The key. The server does not keep it. */
      readonly secret: string;
      /** @description The variables that point a program at the gateway with this key. */
      readonly environment: {
        readonly [key: string]: string;
      };
      /** @description The variables of the providers' own keys, which such a program should not have. */
      readonly withheld: readonly string[];
    };
    readonly KeyDocument: {
      readonly path: string;
    };
    readonly RevokedKey: {
      readonly id: string;
      readonly revoked: boolean;
    };
    readonly StoppedKeys: {
      readonly revoked: readonly components['schemas']['GatewayKey'][];
    };
    readonly ApprovalDecision: {
      /** @enum {unknown} */
      readonly decision: 'approve' | 'deny';
      readonly digest: string;
    };
    readonly ReportPage: {
      readonly reports: readonly components['schemas']['Report'][];
      readonly after: string | null;
    };
    readonly Report: {
      readonly id: string;
      readonly notebook: string;
      readonly session_id: string;
      /** @description What was done, as the client wrote it; null once it is acknowledged. */
      readonly shown: unknown;
      readonly tool: string;
      readonly agent_id: string | null;
      readonly charge_id: string | null;
      readonly cell: components['schemas']['Cell'];
      /** Format: date-time */
      readonly at: string;
      /** Format: date-time */
      readonly acknowledged_at: string | null;
      readonly acknowledged_by: string | null;
    };
    readonly Correction: {
      readonly charge_id: string;
      readonly amount: components['schemas']['Amount'] | number;
      readonly reason: string;
    };
    readonly CorrectionResponse: {
      readonly correction: components['schemas']['CorrectionEntry'];
      readonly state: components['schemas']['State'] | null;
    };
    readonly CorrectionEntry: {
      readonly id: string;
      readonly charge_id: string;
      readonly amount: components['schemas']['Amount'];
      /** @description What of the charge still counts. */
      readonly left: components['schemas']['Amount'];
      readonly record_id: string;
    };
    readonly AuditSums: {
      /** @enum {unknown} */
      readonly by: 'tool' | 'agent' | 'day' | 'hour' | 'minute';
      readonly sums: readonly components['schemas']['AuditSum'][];
    };
    readonly AuditSum: {
      readonly name: string;
      readonly records: number;
      readonly denied: number;
      readonly spent: components['schemas']['Amount'];
    };
    readonly Verification: {
      readonly ok: boolean;
      /** @description How many records were found intact. */
      readonly checked: number;
      /** @description The head of each chain walked, by chain; keep them elsewhere. */
      readonly heads: {
        readonly [key: string]: string;
      };
      /** @description One sentence on the first bad record. */
      readonly problem: string | null;
      readonly chain: string | null;
      readonly seq: number | null;
      /** @description All that is not as it was written, the bad record first. */
      readonly findings: readonly components['schemas']['Finding'][];
      /** @description How many more findings there are. */
      readonly unlisted: number;
      /** @description By table, how many rows are as the records say; `audit` counts the records themselves. */
      readonly covered: {
        readonly [key: string]: number;
      };
      /** @description What was not compared, and why, one sentence each. It is no fault. */
      readonly not_covered: readonly string[];
    };
    readonly Finding: {
      /** @enum {unknown} */
      readonly code:
        | 'CHAIN_BROKEN'
        | 'HEAD_UNKNOWN'
        | 'RECORD_UNKNOWN'
        | 'ROW_DIFFERS'
        | 'ROW_MISSING'
        | 'ROW_UNKNOWN'
        | 'DAMAGED';
      readonly table: string | null;
      /** @description The key of the row, its parts with a space between; of an audit record its chain. */
      readonly record: string | null;
      /** @description The number of an audit record in its chain. */
      readonly seq: number | null;
      /** @description One sentence. */
      readonly problem: string;
    };
    readonly AuditPage: {
      readonly records: readonly components['schemas']['AuditRecord'][];
      readonly cursor: string | null;
    };
    readonly AuditRecord: {
      readonly record_id: string;
      /** @description The session's id, or `ledger` for openings, closings and decisions outside of any session. */
      readonly chain: string;
      readonly seq: number;
      /** Format: date-time */
      readonly at: string;
      readonly event: string;
      /** @description Null of what is no decision, as `approval_requested`; such a record matches no outcome filter. */
      readonly outcome: components['schemas']['Outcome'] | null;
      readonly code: string | null;
      readonly reasons: readonly string[];
      readonly actor: string;
      readonly notebook: string;
      readonly agent_id: string | null;
      readonly tool: string | null;
      readonly action_type: string | null;
      readonly resource: string | null;
      readonly cell: components['schemas']['Cell'];
      readonly amount: components['schemas']['Amount'];
      readonly spent_delta: components['schemas']['Amount'];
      readonly held_delta: components['schemas']['Amount'];
      readonly charge_id: string | null;
      readonly detail: Record<string, unknown>;
      readonly previous_hash: string;
      readonly hash: string;
    };
    readonly Error: {
      readonly code: string;
      readonly message: string;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
