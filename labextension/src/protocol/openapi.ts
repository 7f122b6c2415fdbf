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
      /** @description The notebook's path below the server's root folder, as the request named it. */
      readonly path: string;
      /** @description Whether a governance session is open. */
      readonly active: boolean;
      /** @description The id of the open session, or else of the last closed one; null if the notebook never had a session. */
      readonly session_id: string | null;
      /** @description The session's trust level, from 0 (Observer) to 5 (Autonomous). */
      readonly trust_level: number | null;
      /** @description The trust level's name, as the interface shows it. */
      readonly trust_label: string | null;
      /** @description The session's budget. */
      readonly budget: components['schemas']['Amount'] | null;
      /** @description The amount charged to the session. */
      readonly spent: components['schemas']['Amount'] | null;
      /** @description The amount of the session's open holds. */
      readonly held: components['schemas']['Amount'] | null;
      /** @description The part of the budget that is neither charged nor held. */
      readonly remaining: components['schemas']['Amount'] | null;
      /** @description The amount by which the budget is exceeded; 0 if it is not. */
      readonly over: components['schemas']['Amount'] | null;
      /** @description The agent that the session is for. */
      readonly agent_id: string | null;
      /** @description The user who set a value; `kernel` or `server` if no user did. */
      readonly set_by: string | null;
      /** @description The path of the other notebook whose kernel and session this one uses; null if it uses its own. */
      readonly shared_with: string | null;
      /**
       * @description The number of changes of the notebook over all its sessions, including those of holds, approvals and
       *     reports.
       */
      readonly seq: number;
    };
    readonly Change: {
      /** @description The new trust level; null or omitted to keep it. */
      readonly trust_level?: number | null;
      /** @description The new budget in US dollars; null or omitted to keep it. */
      readonly budget?: components['schemas']['Amount'] | number | null;
      /** @description The agent that the session is for; null or omitted to keep it. */
      readonly agent_id?: string | null;
    };
    readonly NotebookPage: {
      readonly notebooks: readonly components['schemas']['State'][];
      /** @description Requests the next page; null on the last page. */
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
      /** @description The path of the copy below the server's root folder. */
      readonly path: string;
    };
    readonly Config: {
      /** @description The version of the package on the server. */
      readonly version: string;
      /** @description The budget of a session, unless its notebook or a user sets one. */
      readonly default_budget: components['schemas']['Amount'];
      /** @description The trust level of a session, unless its notebook or a user sets one. */
      readonly default_trust_level: number;
      /** @description The highest budget that a notebook or a user may set; null for no limit. */
      readonly max_budget: components['schemas']['Amount'] | null;
      /** @description The highest trust level that a notebook or a user may set. */
      readonly max_trust_level: number;
      /** @description The fractions of a budget at which the display of the amount spent changes colour, in rising order. */
      readonly warn_at: readonly string[];
      /** @description Whether only a user can raise a limit, close a session or open a further one; notebooks then cannot. */
      readonly strict: boolean;
      /** @description Whether a notebook that never had a session gets one as soon as its kernel runs. */
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
      /** @description The ceiling in the ledger. Empty if it was lifted; several only if servers of earlier versions disagreed. */
      readonly stands: readonly components['schemas']['CeilingFigures'][];
    };
    readonly CeilingFigures: {
      readonly limit: components['schemas']['Amount'];
      /**
       * @description The calendar period, in UTC, after which spending is counted anew.
       * @enum {unknown}
       */
      readonly period: 'daily' | 'weekly' | 'monthly' | 'yearly' | 'lifetime';
    };
    readonly PriceData: {
      /**
       * @description Whether the data was installed with genai-prices or fetched later, with `jupyter governance prices --update`.
       * @enum {unknown}
       */
      readonly source: 'installed' | 'fetched';
      /** @description The version of genai-prices. */
      readonly version: string;
      /**
       * Format: date
       * @description The start date of the newest price that applied when the data was made, or the day it was fetched.
       */
      readonly as_of: string;
      /** @description The number of days since `as_of`. */
      readonly age_days: number;
      /** @description Whether the data is older than 90 days. */
      readonly old: boolean;
    };
    readonly Cell: {
      /** @description The cell's id in the notebook document; null if it is not known. */
      readonly id: string | null;
      /** @description The cell's execution count; null if it is not known. */
      readonly count: number | null;
    };
    readonly Envelopes: {
      readonly envelopes: readonly components['schemas']['Envelope'][];
    };
    readonly Envelope: {
      /** @description The ceiling's name in the configuration. */
      readonly name: string;
      /**
       * @description Which sessions share the ceiling: those of one notebook, of one user, of one server, or of a team's servers.
       * @enum {unknown}
       */
      readonly kind: 'notebook' | 'owner' | 'server' | 'team';
      /**
       * @description The calendar period, in UTC, after which spending is counted anew; never for `lifetime`.
       * @enum {unknown}
       */
      readonly period: 'daily' | 'weekly' | 'monthly' | 'yearly' | 'lifetime';
      /**
       * Format: date-time
       * @description The start of the current period; null for a ceiling without one.
       */
      readonly period_start: string | null;
      /** @description The ceiling. */
      readonly limit: components['schemas']['Amount'];
      /** @description The amount charged in the current period, by all sessions that share the ceiling. */
      readonly spent: components['schemas']['Amount'];
      /** @description The amount of these sessions' open holds. */
      readonly held: components['schemas']['Amount'];
      /** @description The part of the ceiling that is neither charged nor held. */
      readonly remaining: components['schemas']['Amount'];
      /** @description The amount by which the ceiling is exceeded; 0 if it is not. */
      readonly over: components['schemas']['Amount'];
      /** @description The number of charges in the current period, including voided ones. */
      readonly charges: number;
    };
    readonly HoldPage: {
      readonly holds: readonly components['schemas']['Hold'][];
      /** @description Requests the next page; null on the last page. */
      readonly after: string | null;
    };
    readonly Hold: {
      /** @description The hold's id, with which it can be settled or released. */
      readonly id: string;
      /** @description The notebook's path below the server's root folder. */
      readonly notebook: string;
      /** @description The session that the hold belongs to. */
      readonly session_id: string;
      /**
       * @description Whether the kernel that made the hold still runs (`held`) or is gone (`unresolved`).
       * @enum {unknown}
       */
      readonly state: 'held' | 'unresolved';
      /** @description The name of what is called, for example a model. */
      readonly tool: string;
      /** @description The amount that is held: the most that the call was expected to cost. */
      readonly amount: components['schemas']['Amount'];
      /** @description The agent that makes the call; null if neither the call nor the session has one. */
      readonly agent_id: string | null;
      /** @description The category whose budget the call is charged to as well; null for none. */
      readonly category: string | null;
      /** @description The cell that made the call. */
      readonly cell: components['schemas']['Cell'];
      /**
       * Format: date-time
       * @description The time when the hold was made.
       */
      readonly at: string;
      /**
       * Format: date-time
       * @description The time at which it is released automatically; null for never.
       */
      readonly until: string | null;
    };
    readonly Settlement: {
      /** @description The amount that the call cost, in US dollars; may be 0. */
      readonly amount: components['schemas']['Amount'] | number;
    };
    readonly ResolutionResponse: {
      readonly resolution: components['schemas']['Resolution'];
      /** @description The session's new state. */
      readonly state: components['schemas']['State'] | null;
    };
    readonly Resolution: {
      /** @description The hold's id. */
      readonly hold_id: string;
      /**
       * @description Whether the hold was settled with a cost, or released without one.
       * @enum {unknown}
       */
      readonly outcome: 'settled' | 'released';
      /** @description The amount that was held. */
      readonly held: components['schemas']['Amount'];
      /** @description The amount that was charged. */
      readonly spent: components['schemas']['Amount'];
      /** @description Whether the cost was more than the amount held. */
      readonly overrun: boolean;
      /** @description Whether the cost is an estimate, since the exact cost is not known. */
      readonly estimated: boolean;
      /** @description The id of the audit record of this resolution. */
      readonly record_id: string;
    };
    readonly ApprovalPage: {
      readonly approvals: readonly components['schemas']['Approval'][];
      /** @description Requests the next page; null on the last page. */
      readonly after: string | null;
    };
    readonly Approval: {
      /** @description The approval request's id, with which it can be decided. */
      readonly id: string;
      /** @description The notebook's path below the server's root folder. */
      readonly notebook: string;
      /** @description The session in which the action would run. */
      readonly session_id: string;
      /**
       * @description The state of the request. `withdrawn` means that its client no longer waits or its time is over, `used` that it was approved and that the action has used the approval.
       * @enum {unknown}
       */
      readonly status: 'pending' | 'approved' | 'denied' | 'withdrawn' | 'used';
      /** @description A hash of the content that the user sees; a decision must state it. */
      readonly digest: string;
      /** @description The content that the user sees, as the client wrote it; null once the request is decided. */
      readonly shown: unknown;
      /** @description The name of the action. */
      readonly tool: string;
      /** @description The amount that the action may cost. */
      readonly amount: components['schemas']['Amount'];
      /** @description The agent that requests the action; null if neither the request nor the session has one. */
      readonly agent_id: string | null;
      /** @description The cell that requested the approval. */
      readonly cell: components['schemas']['Cell'];
      /**
       * Format: date-time
       * @description The time of the request.
       */
      readonly at: string;
      /**
       * Format: date-time
       * @description The time at which it expires, and its action is denied; null for never.
       */
      readonly until: string | null;
      /**
       * Format: date-time
       * @description The time of the decision; null while the request is pending.
       */
      readonly decided_at: string | null;
      /** @description The user who decided, or for a withdrawn request what withdrew it, such as `kernel` or `server`. */
      readonly decided_by: string | null;
    };
    readonly LimitRequests: {
      readonly limit_requests: readonly components['schemas']['LimitRequest'][];
    };
    /** @description The calls of one session that wait at a limit on money. */
    readonly LimitRequest: {
      /** @description The session's id, with which its calls can be denied. */
      readonly id: string;
      /** @description The notebook's path below the server's root folder. */
      readonly notebook: string;
      /** @description The session of the calls, the same as `id`. */
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
      /** @description The name of what is called, for example a model. */
      readonly tool: string;
      /** @description The amount that the first call requests. */
      readonly amount: components['schemas']['Amount'];
      /** @description The amount by which the limit must be raised for the first call. */
      readonly needs: components['schemas']['Amount'];
      /** @description The amount by which the limit must be raised for all calls together. */
      readonly needs_all: components['schemas']['Amount'];
      /** @description The agent that makes the call; null if neither the call nor the session has one. */
      readonly agent_id: string | null;
      /** @description The cell that made the call. */
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
      /** @description The number of calls that were denied. */
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
      /** @description A name for users: for a key of the kind `user` the one that the user chose, for `run` the command. */
      readonly name: string;
      /**
       * @description The notebook whose level and budget apply, or the document of a key of the kind `user`; null if a terminal
       *     has no notebook yet, or if the notebook was deleted.
       */
      readonly path: string | null;
      /** @description The id of the kernel that has the key; null for other kinds. */
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
      /**
       * @description What the key is for: `user` for a program of the user (the default), `run` for a command.
       * @enum {unknown}
       */
      readonly kind?: 'user' | 'run';
      /** @description For `user`, only letters, digits, spaces, dots, hyphens and underscores. */
      readonly name: string;
      /** @description The notebook's path, for `run` only. */
      readonly path?: string;
      /** @description The trust level of the key's session, for `user` only; 1 if omitted. */
      readonly trust_level?: number | null;
      /** @description The budget of the key's session in US dollars, for `user` only; the server's default if omitted. */
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
      /** @description The path of the notebook whose trust level and budget apply to the terminal's calls. */
      readonly path: string;
    };
    readonly RevokedKey: {
      /** @description The key's id. */
      readonly id: string;
      /** @description Always true. */
      readonly revoked: boolean;
    };
    readonly StoppedKeys: {
      /** @description The keys that were revoked. */
      readonly revoked: readonly components['schemas']['GatewayKey'][];
    };
    readonly ApprovalDecision: {
      /** @enum {unknown} */
      readonly decision: 'approve' | 'deny';
      /** @description The `digest` of the approval request that the user saw. */
      readonly digest: string;
    };
    readonly ReportPage: {
      readonly reports: readonly components['schemas']['Report'][];
      /** @description Requests the next page; null on the last page. */
      readonly after: string | null;
    };
    readonly Report: {
      /** @description The report's id, with which it can be acknowledged. */
      readonly id: string;
      /** @description The notebook's path below the server's root folder. */
      readonly notebook: string;
      /** @description The session in which the action ran. */
      readonly session_id: string;
      /** @description The action that was done, as the client described it; null once the report is acknowledged. */
      readonly shown: unknown;
      /** @description The name of the action. */
      readonly tool: string;
      /** @description The agent that ran the action; null if neither the action nor the session has one. */
      readonly agent_id: string | null;
      /** @description The id of the charge for the action's cost; null if it was not charged. */
      readonly charge_id: string | null;
      /** @description The cell that ran the action. */
      readonly cell: components['schemas']['Cell'];
      /**
       * Format: date-time
       * @description The time of the report, which is made before the action runs.
       */
      readonly at: string;
      /**
       * Format: date-time
       * @description The time when a user acknowledged the report; null until then.
       */
      readonly acknowledged_at: string | null;
      /** @description The user who acknowledged the report; null until then. */
      readonly acknowledged_by: string | null;
    };
    readonly Correction: {
      /** @description The id of the charge to correct, as its audit record states it. */
      readonly charge_id: string;
      /** @description The amount to subtract from the charge, in US dollars. */
      readonly amount: components['schemas']['Amount'] | number;
      /** @description Why the charge is corrected, for the audit record. */
      readonly reason: string;
    };
    readonly CorrectionResponse: {
      readonly correction: components['schemas']['CorrectionEntry'];
      /** @description The session's new state. */
      readonly state: components['schemas']['State'] | null;
    };
    readonly CorrectionEntry: {
      /** @description The correction's id. */
      readonly id: string;
      /** @description The id of the charge that was corrected. */
      readonly charge_id: string;
      /** @description The amount that was subtracted. */
      readonly amount: components['schemas']['Amount'];
      /** @description The amount that is still charged. */
      readonly left: components['schemas']['Amount'];
      /** @description The id of the correction's audit record. */
      readonly record_id: string;
    };
    readonly AuditSums: {
      /**
       * @description What the records are added up by.
       * @enum {unknown}
       */
      readonly by: 'tool' | 'agent' | 'day' | 'hour' | 'minute';
      readonly sums: readonly components['schemas']['AuditSum'][];
    };
    readonly AuditSum: {
      /** @description The tool, the agent, the day (`2026-11-22`) or the start of the hour or minute (`2026-11-22T14:05Z`). */
      readonly name: string;
      /** @description The number of records. */
      readonly records: number;
      /** @description The number of denials among the records. */
      readonly denied: number;
      /** @description The amount by which these records changed the amount charged. */
      readonly spent: components['schemas']['Amount'];
    };
    readonly Verification: {
      /** @description Whether nothing is wrong. */
      readonly ok: boolean;
      /** @description The number of records that were found intact. */
      readonly checked: number;
      /** @description The head of each verified chain, by the chain's name. Store them elsewhere for a later `known_head`. */
      readonly heads: {
        readonly [key: string]: string;
      };
      /** @description One sentence about the first record that is wrong. */
      readonly problem: string | null;
      /** @description The chain of the first record that is wrong; null if there is none. */
      readonly chain: string | null;
      /** @description The number in its chain of the first record that is wrong; null if there is none. */
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
      /**
       * @description The kind of error; `DAMAGED` means that stored data cannot be read.
       * @enum {unknown}
       */
      readonly code:
        | 'CHAIN_BROKEN'
        | 'HEAD_UNKNOWN'
        | 'RECORD_UNKNOWN'
        | 'ROW_DIFFERS'
        | 'ROW_MISSING'
        | 'ROW_UNKNOWN'
        | 'DAMAGED';
      /** @description The table of the ledger's database that has the wrong row; null if there is none. */
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
      /** @description Requests the next page; null on the last page. */
      readonly cursor: string | null;
    };
    readonly AuditRecord: {
      /** @description The record's id. */
      readonly record_id: string;
      /** @description The session's id, or `ledger` for openings, closings and decisions without a session. */
      readonly chain: string;
      /** @description The record's number in its chain, from 1, without gaps. */
      readonly seq: number;
      /**
       * Format: date-time
       * @description The time of the event.
       */
      readonly at: string;
      /** @description The event, such as `open`, `spend`, `hold`, `settle` or `release`. */
      readonly event: string;
      /** @description Null for an event that is no decision, such as `approval_requested`; no outcome filter matches it. */
      readonly outcome: components['schemas']['Outcome'] | null;
      /** @description A code for the reason of a denial, such as `BUDGET_EXCEEDED`; null if there is none. */
      readonly code: string | null;
      /** @description The reasons of the decision, one sentence each. */
      readonly reasons: readonly string[];
      /** @description Who made the request: a user's name, `kernel`, `server`, or the name of a gateway key. */
      readonly actor: string;
      /** @description The notebook's path at the time of the event. */
      readonly notebook: string;
      /** @description The agent of the request; null if none is known. */
      readonly agent_id: string | null;
      /** @description The name of what was called, for example a model. */
      readonly tool: string | null;
      /** @description The kind of the action, as the caller stated it. */
      readonly action_type: string | null;
      /** @description The resource of the action, as the caller stated it. */
      readonly resource: string | null;
      /** @description The cell that made the request. */
      readonly cell: components['schemas']['Cell'];
      /** @description The amount that was requested. */
      readonly amount: components['schemas']['Amount'];
      /** @description The change of the amount charged to the session; negative for a correction. */
      readonly spent_delta: components['schemas']['Amount'];
      /** @description The change of the amount held in the session. */
      readonly held_delta: components['schemas']['Amount'];
      /** @description The id of the charge or hold that the record is about; null for other events. */
      readonly charge_id: string | null;
      /** @description Further values, such as a limit before and after a change. Never contains a prompt or a key. */
      readonly detail: Record<string, unknown>;
      /** @description The `hash` of the record before in the chain. */
      readonly previous_hash: string;
      /** @description The hash of the record, which covers `previous_hash` too, so that a change of any earlier record is found. */
      readonly hash: string;
    };
    readonly Error: {
      /** @description What went wrong, for programs, such as `NOT_FOUND`. Codes do not change. */
      readonly code: string;
      /** @description What went wrong and what to do, in one sentence for users. */
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
