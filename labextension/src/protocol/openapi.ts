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
      /** @description The user who set a value; `kernel` or `server` if no user did. */
      readonly set_by: string | null;
      readonly shared_with: string | null;
      /**
       * @description The number of changes of the notebook over all its sessions, including those of holds, approvals and
       *     reports.
       */
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
        /**
         * @description False for a kernel that the server cannot govern, such as one behind a Jupyter gateway; its requests
         *     fail.
         */
        readonly reachable: boolean;
        /**
         * @description The transport of its latest request; null if its process has made none yet.
         * @enum {unknown}
         */
        readonly transport: 'socket' | 'comm' | null;
        /**
         * @description The names of the variables in its environment that hold a provider's own key, instead of a key of the
         *     gateway. Calls with such a key that do not use `govern()` are neither limited nor recorded.
         */
        readonly foreign_keys: readonly string[];
      }[];
    };
    readonly ExampleFolder: {
      /** @description The path of an existing folder; if omitted, the server's root. */
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
       * @description What happens to a call that exceeds a limit on money, unless its notebook chooses: it is denied, or waits for a user.
       * @enum {unknown}
       */
      readonly at_limit: 'deny' | 'ask';
      /** @description On a server without user names (with only a token or a password), the name of its user in the records; else null. */
      readonly user: string | null;
      /** @description The data of models' prices in the server's environment; null if genai-prices is not installed. */
      readonly price_data: components['schemas']['PriceData'] | null;
      /**
       * @description The shared ceilings (of the kinds team and owner) that differ in the ledger from this server's
       *     configuration. Those in the ledger apply; only a user can change them, with `jupyter governance ceiling`.
       */
      readonly ceilings_differ: readonly components['schemas']['CeilingDifference'][];
      /** @description The gateway to providers' APIs; null if none is configured. */
      readonly gateway: components['schemas']['Gateway'] | null;
    };
    readonly Gateway: {
      /** @description The URL on which it listens, on the loopback interface of the server's machine. */
      readonly address: string;
      readonly providers: readonly components['schemas']['GatewayProvider'][];
    };
    readonly GatewayProvider: {
      /** @description The provider's name, as in the path of requests, `/llm/<name>/`. */
      readonly name: string;
      /**
       * @description The kind of the provider's API.
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
      /** @description The ceiling in this server's configuration; null if that has no such envelope. */
      readonly configured: components['schemas']['CeilingFigures'] | null;
      /** @description The ceiling in the ledger. Empty if it was removed; several only if servers of earlier versions disagreed. */
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
      /** @description The version of genai-prices. */
      readonly version: string;
      /**
       * Format: date
       * @description The start date of the newest price that applied when the data was made, or the day it was fetched.
       */
      readonly as_of: string;
      readonly age_days: number;
      /** @description Whether the data is older than 90 days. */
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
       * @description The start of the current period; null for a ceiling without one.
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
       * @description The time at which it is released automatically; null for never.
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
      /** @description The content that the user sees, as the client wrote it; null once the request is decided. */
      readonly shown: unknown;
      readonly tool: string;
      readonly amount: components['schemas']['Amount'];
      readonly agent_id: string | null;
      readonly cell: components['schemas']['Cell'];
      /** Format: date-time */
      readonly at: string;
      /**
       * Format: date-time
       * @description The time at which it expires, and its action is denied; null for never.
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
      /** @description The session's id, with which its calls can be denied. */
      readonly id: string;
      readonly notebook: string;
      readonly session_id: string;
      /** @description The number of waiting calls. The fields below are about the first one, except `needs_all`. */
      readonly count: number;
      readonly limit: {
        /** @description `session` for the notebook's budget, `category` for a budget within it, else the kind of the ceiling. */
        readonly kind: string;
        /** @description The name of the category or ceiling; empty for the notebook's budget. */
        readonly name: string;
        readonly allowed: components['schemas']['Amount'];
      };
      readonly tool: string;
      readonly amount: components['schemas']['Amount'];
      /** @description The amount by which the limit must be raised for the first call. */
      readonly needs: components['schemas']['Amount'];
      /** @description The amount by which the limit must be raised for all calls together. */
      readonly needs_all: components['schemas']['Amount'];
      readonly agent_id: string | null;
      readonly cell: components['schemas']['Cell'];
      /**
       * Format: date-time
       * @description The time since which the first call waits.
       */
      readonly at: string;
      /**
       * Format: date-time
       * @description The time at which the first call is denied automatically.
       */
      readonly until: string;
    };
    readonly DeniedAtLimit: {
      readonly denied: number;
    };
    /** @description A valid key of the gateway, without its secret. */
    readonly GatewayKey: {
      /** @description A random id, which is not secret. */
      readonly id: string;
      /**
       * @description What the key was issued to; `user` is a program of the user, `run` a command.
       * @enum {unknown}
       */
      readonly kind: 'kernel' | 'terminal' | 'user' | 'run';
      readonly name: string;
      /**
       * @description The notebook whose level and budget apply, or the document of a key of the kind `user`; null if a terminal
       *     has no notebook yet, or if the notebook was deleted.
       */
      readonly path: string | null;
      readonly kernel_id: string | null;
      /** @description The terminal's name. */
      readonly terminal: string | null;
      /** @description The time of issue; null for a moment while the key is being stored. */
      readonly issued_at: string | null;
      /** @description The user who requested the key, or `server`. */
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
      /** @description For `user`, only letters, digits, spaces, dots, hyphens and underscores. */
      readonly name: string;
      /** @description The notebook's path, for `run` only. */
      readonly path?: string;
      readonly trust_level?: number | null;
      readonly budget?: components['schemas']['Amount'] | number | null;
    };
    readonly CreatedKey: {
      readonly key: components['schemas']['GatewayKey'];
      /** @description The secret that programs send as the provider's API key. The server does not store it. */
      readonly secret: string;
      /** @description The environment variables with which a program uses the gateway and this key. */
      readonly environment: {
        readonly [key: string]: string;
      };
      /** @description The names of the variables of the providers' own keys, which such a program should not have. */
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
      /** @description The action that was done, as the client described it; null once the report is acknowledged. */
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
      /** @description The amount of the charge that still counts. */
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
      /** @description The number of records that were found intact. */
      readonly checked: number;
      /** @description The head of each verified chain, by the chain's name. Store them elsewhere for a later `known_head`. */
      readonly heads: {
        readonly [key: string]: string;
      };
      /** @description One sentence about the first record that is wrong. */
      readonly problem: string | null;
      readonly chain: string | null;
      readonly seq: number | null;
      /** @description All records and rows that are not as they were written, the wrong record of a chain first. */
      readonly findings: readonly components['schemas']['Finding'][];
      /** @description The number of further findings. */
      readonly unlisted: number;
      /** @description The number of rows that match the records, by table; for `audit`, the number of records. */
      readonly covered: {
        readonly [key: string]: number;
      };
      /** @description What was not compared, and why, in one sentence each. These are not errors. */
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
      /** @description The key of the row, its parts separated by spaces; for an audit record, its chain. */
      readonly record: string | null;
      /** @description The number of an audit record in its chain. */
      readonly seq: number | null;
      /** @description What is wrong, in one sentence. */
      readonly problem: string;
    };
    readonly AuditPage: {
      readonly records: readonly components['schemas']['AuditRecord'][];
      readonly cursor: string | null;
    };
    readonly AuditRecord: {
      readonly record_id: string;
      /** @description The session's id, or `ledger` for openings, closings and decisions without a session. */
      readonly chain: string;
      readonly seq: number;
      /** Format: date-time */
      readonly at: string;
      readonly event: string;
      /** @description Null for an event that is no decision, such as `approval_requested`; no outcome filter matches it. */
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
