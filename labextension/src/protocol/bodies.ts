// Made by `npm run protocol` from aumos_governance/server/openapi.yaml; edit that.

import {
  type Guard,
  both,
  isBoolean,
  isCount,
  isInteger,
  isListOf,
  isMapOf,
  isMatch,
  isNullOr,
  isObject,
  isOneOf,
  isRecord,
  isString,
  isTime,
  whenever
} from './guards';
import type { components } from './openapi';

type Schemas = components['schemas'];

export const isAmount: Guard<Schemas['Amount']> = /* @__PURE__ */ isMatch(
  /^-?(0|[1-9][0-9]*)(\.[0-9]{1,9})?$/
);

export const isState: Guard<Schemas['State']> = /* @__PURE__ */ both(
  isObject({
    path: isString,
    active: isBoolean,
    session_id: isNullOr(isString),
    trust_level: isNullOr(isCount),
    trust_label: isNullOr(isString),
    budget: isNullOr(isAmount),
    spent: isNullOr(isAmount),
    held: isNullOr(isAmount),
    remaining: isNullOr(isAmount),
    over: isNullOr(isAmount),
    agent_id: isNullOr(isString),
    set_by: isNullOr(isString),
    shared_with: isNullOr(isString),
    seq: isCount
  }),
  whenever(['active', true], isObject({ budget: isAmount, spent: isAmount }))
);

export const isError: Guard<Schemas['Error']> = /* @__PURE__ */ isObject({
  code: isMatch(/^[A-Z][A-Z_]*$/),
  message: isString
});

export const isEnvelope: Guard<Schemas['Envelope']> = /* @__PURE__ */ isObject({
  name: isString,
  kind: isOneOf(['notebook', 'owner', 'server', 'team']),
  period: isOneOf(['daily', 'weekly', 'monthly', 'yearly', 'lifetime']),
  period_start: isNullOr(isTime),
  limit: isAmount,
  spent: isAmount,
  held: isAmount,
  remaining: isAmount,
  over: isAmount,
  charges: isCount
});

export const isEnvelopes: Guard<Schemas['Envelopes']> =
  /* @__PURE__ */ isObject({ envelopes: isListOf(isEnvelope) });

export const isCell: Guard<Schemas['Cell']> = /* @__PURE__ */ isObject({
  id: isNullOr(isString),
  count: isNullOr(isInteger)
});

export const isHold: Guard<Schemas['Hold']> = /* @__PURE__ */ isObject({
  id: isString,
  notebook: isString,
  session_id: isString,
  state: isOneOf(['held', 'unresolved']),
  tool: isString,
  amount: isAmount,
  agent_id: isNullOr(isString),
  category: isNullOr(isString),
  cell: isCell,
  at: isTime,
  until: isNullOr(isTime)
});

export const isHoldPage: Guard<Schemas['HoldPage']> = /* @__PURE__ */ isObject({
  holds: isListOf(isHold),
  after: isNullOr(isString)
});

export const isResolution: Guard<Schemas['Resolution']> =
  /* @__PURE__ */ isObject({
    hold_id: isString,
    outcome: isOneOf(['settled', 'released']),
    held: isAmount,
    spent: isAmount,
    overrun: isBoolean,
    estimated: isBoolean,
    record_id: isString
  });

export const isResolutionResponse: Guard<Schemas['ResolutionResponse']> =
  /* @__PURE__ */ isObject({
    resolution: isResolution,
    state: isNullOr(isState)
  });

export const isExampleCopy: Guard<Schemas['ExampleCopy']> =
  /* @__PURE__ */ isObject({ path: isString });

export const isApproval: Guard<Schemas['Approval']> = /* @__PURE__ */ isObject({
  id: isString,
  notebook: isString,
  session_id: isString,
  status: isOneOf(['pending', 'approved', 'denied', 'withdrawn', 'used']),
  digest: isString,
  tool: isString,
  amount: isAmount,
  agent_id: isNullOr(isString),
  cell: isCell,
  at: isTime,
  until: isNullOr(isTime),
  decided_at: isNullOr(isTime),
  decided_by: isNullOr(isString)
});

export const isApprovalPage: Guard<Schemas['ApprovalPage']> =
  /* @__PURE__ */ isObject({
    approvals: isListOf(isApproval),
    after: isNullOr(isString)
  });

export const isLimitRequest: Guard<Schemas['LimitRequest']> =
  /* @__PURE__ */ isObject({
    id: isString,
    notebook: isString,
    session_id: isString,
    count: isCount,
    limit: isObject({ kind: isString, name: isString, allowed: isAmount }),
    tool: isString,
    amount: isAmount,
    needs: isAmount,
    needs_all: isAmount,
    agent_id: isNullOr(isString),
    cell: isCell,
    at: isTime,
    until: isTime
  });

export const isLimitRequests: Guard<Schemas['LimitRequests']> =
  /* @__PURE__ */ isObject({ limit_requests: isListOf(isLimitRequest) });

export const isDeniedAtLimit: Guard<Schemas['DeniedAtLimit']> =
  /* @__PURE__ */ isObject({ denied: isCount });

export const isGatewayKey: Guard<Schemas['GatewayKey']> =
  /* @__PURE__ */ isObject({
    id: isString,
    kind: isOneOf(['kernel', 'terminal', 'user', 'run']),
    name: isString,
    path: isNullOr(isString),
    kernel_id: isNullOr(isString),
    terminal: isNullOr(isString),
    issued_at: isNullOr(isString),
    issued_by: isString
  });

export const isGatewayKeys: Guard<Schemas['GatewayKeys']> =
  /* @__PURE__ */ isObject({
    enabled: isBoolean,
    keys: isListOf(isGatewayKey)
  });

export const isCreatedKey: Guard<Schemas['CreatedKey']> =
  /* @__PURE__ */ isObject({
    key: isGatewayKey,
    secret: isString,
    environment: isMapOf(isString),
    withheld: isListOf(isString)
  });

export const isRevokedKey: Guard<Schemas['RevokedKey']> =
  /* @__PURE__ */ isObject({ id: isString, revoked: isBoolean });

export const isStoppedKeys: Guard<Schemas['StoppedKeys']> =
  /* @__PURE__ */ isObject({ revoked: isListOf(isGatewayKey) });

export const isReport: Guard<Schemas['Report']> = /* @__PURE__ */ isObject({
  id: isString,
  notebook: isString,
  session_id: isString,
  tool: isString,
  agent_id: isNullOr(isString),
  charge_id: isNullOr(isString),
  cell: isCell,
  at: isTime,
  acknowledged_at: isNullOr(isTime),
  acknowledged_by: isNullOr(isString)
});

export const isReportPage: Guard<Schemas['ReportPage']> =
  /* @__PURE__ */ isObject({
    reports: isListOf(isReport),
    after: isNullOr(isString)
  });

export const isCorrectionEntry: Guard<Schemas['CorrectionEntry']> =
  /* @__PURE__ */ isObject({
    id: isString,
    charge_id: isString,
    amount: isAmount,
    left: isAmount,
    record_id: isString
  });

export const isCorrectionResponse: Guard<Schemas['CorrectionResponse']> =
  /* @__PURE__ */ isObject({
    correction: isCorrectionEntry,
    state: isNullOr(isState)
  });

export const isNotebookPage: Guard<Schemas['NotebookPage']> =
  /* @__PURE__ */ isObject({
    notebooks: isListOf(isState),
    after: isNullOr(isString)
  });

export const isKernels: Guard<Schemas['Kernels']> = /* @__PURE__ */ isObject({
  kernels: isListOf(
    isObject({
      id: isString,
      notebook: isString,
      reachable: isBoolean,
      transport: isNullOr(isOneOf(['socket', 'comm'])),
      foreign_keys: isListOf(isString)
    })
  )
});

export const isPriceData: Guard<Schemas['PriceData']> =
  /* @__PURE__ */ isObject({
    source: isOneOf(['installed', 'fetched']),
    version: isString,
    as_of: isTime,
    age_days: isCount,
    old: isBoolean
  });

export const isCeilingFigures: Guard<Schemas['CeilingFigures']> =
  /* @__PURE__ */ isObject({
    limit: isAmount,
    period: isOneOf(['daily', 'weekly', 'monthly', 'yearly', 'lifetime'])
  });

export const isCeilingDifference: Guard<Schemas['CeilingDifference']> =
  /* @__PURE__ */ isObject({
    name: isString,
    kind: isOneOf(['owner', 'team']),
    configured: isNullOr(isCeilingFigures),
    stands: isListOf(isCeilingFigures)
  });

export const isGatewayProvider: Guard<Schemas['GatewayProvider']> =
  /* @__PURE__ */ isObject({
    name: isString,
    api: isOneOf(['openai', 'anthropic', 'google']),
    models: isListOf(isString),
    denied_models: isListOf(isString)
  });

export const isGateway: Guard<Schemas['Gateway']> = /* @__PURE__ */ isObject({
  address: isString,
  providers: isListOf(isGatewayProvider)
});

export const isConfig: Guard<Schemas['Config']> = /* @__PURE__ */ isObject({
  version: isString,
  default_budget: isAmount,
  default_trust_level: isCount,
  max_budget: isNullOr(isAmount),
  max_trust_level: isCount,
  warn_at: isListOf(isMatch(/^(0\.[0-9]{1,9}|1)$/)),
  strict: isBoolean,
  autostart: isBoolean,
  at_limit: isOneOf(['deny', 'ask']),
  user: isNullOr(isString),
  price_data: isNullOr(isPriceData),
  ceilings_differ: isListOf(isCeilingDifference),
  gateway: isNullOr(isGateway)
});

export const isOutcome: Guard<Schemas['Outcome']> = /* @__PURE__ */ isOneOf([
  'allow',
  'deny',
  'allow_with_caveat'
]);

export const isAuditRecord: Guard<Schemas['AuditRecord']> =
  /* @__PURE__ */ isObject({
    record_id: isString,
    chain: isString,
    seq: isCount,
    at: isTime,
    event: isString,
    outcome: isNullOr(isOutcome),
    code: isNullOr(isString),
    reasons: isListOf(isString),
    actor: isString,
    notebook: isString,
    agent_id: isNullOr(isString),
    tool: isNullOr(isString),
    action_type: isNullOr(isString),
    resource: isNullOr(isString),
    cell: isCell,
    amount: isAmount,
    spent_delta: isAmount,
    held_delta: isAmount,
    charge_id: isNullOr(isString),
    detail: isRecord,
    previous_hash: isString,
    hash: isString
  });

export const isAuditPage: Guard<Schemas['AuditPage']> =
  /* @__PURE__ */ isObject({
    records: isListOf(isAuditRecord),
    cursor: isNullOr(isString)
  });

export const isAuditSum: Guard<Schemas['AuditSum']> = /* @__PURE__ */ isObject({
  name: isString,
  records: isCount,
  denied: isCount,
  spent: isAmount
});

export const isAuditSums: Guard<Schemas['AuditSums']> =
  /* @__PURE__ */ isObject({
    by: isOneOf(['tool', 'agent', 'day', 'hour', 'minute']),
    sums: isListOf(isAuditSum)
  });

export const isFinding: Guard<Schemas['Finding']> = /* @__PURE__ */ isObject({
  code: isOneOf([
    'CHAIN_BROKEN',
    'HEAD_UNKNOWN',
    'RECORD_UNKNOWN',
    'ROW_DIFFERS',
    'ROW_MISSING',
    'ROW_UNKNOWN',
    'DAMAGED'
  ]),
  table: isNullOr(isString),
  record: isNullOr(isString),
  seq: isNullOr(isInteger),
  problem: isString
});

export const isVerification: Guard<Schemas['Verification']> =
  /* @__PURE__ */ isObject({
    ok: isBoolean,
    checked: isCount,
    heads: isMapOf(isString),
    problem: isNullOr(isString),
    chain: isNullOr(isString),
    seq: isNullOr(isInteger),
    findings: isListOf(isFinding),
    unlisted: isCount,
    covered: isMapOf(isInteger),
    not_covered: isListOf(isString)
  });
