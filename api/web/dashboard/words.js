// Every text of the page, for translation (UI-106). State names are the ones of API, records and documentation.
export const STATES = {
  IDLE: "Idle", RUNNING: "Running", PAUSING: "Pausing", PAUSED: "Paused at a safe point", HOLDING: "Holding", HELD: "Held",
  RESTARTING: "Restarting", STOPPING: "Stopping", STOPPED: "Stopped", ABORTING: "Aborting", ABORTED: "Aborted", COMPLETE: "Complete",
};
export const COMMANDS = {
  hold: "Hold", restart: "Restart", pause: "Pause", resume: "Resume", stop: "Stop", abort: "Abort", reset: "Reset", start: "Start",
};
export const PRIORITIES = { critical: "C", high: "H", low: "L" };
export const LANES = {
  stages: "Stages", steps: "Steps", environment: "Set points", tasks: "Tasks for a person", doses: "Doses", holds: "Alarms, holds",
};

export const W = {
  skip: "Skip to the content",
  simulated: "SIMULATED DEVICES - no real equipment",
  notValidated: "Simulated, not a validated set-up.",
  speed: (reached) => `time runs at ${reached} x (reached)`,
  links: { connecting: "Connecting", connected: "Connected", lost: "Connection lost", blind: "Not scanning" },

  lost: (at, ago) => `Connection to the controller lost at ${at} (${ago} ago). Values below are old. The controller works on its own; `
    + "this page cannot see or command it now. If this lasts, go to the equipment.",
  neverSeen: "No connection to the controller yet. This page cannot see or command it now. If this lasts, go to the equipment.",
  tryNow: "Try now",
  notScanning: (ago) => `Controller not scanning: the last scan of the devices was ${ago} ago. Values below are old. `
    + "The devices keep their last set points. Go to the equipment if this lasts.",
  restored: (at, after, alarms) => `Connection restored at ${at} after ${after}. `
    + (alarms === 0 ? "No new alarm." : alarms === 1 ? "1 new alarm:" : `${alarms} new alarms:`),
  close: "Close",
  whyOff: "Off: this page has no connection to the controller.",
  noRight: (role) => `Your role (${role}) has no right to this.`,
  notConfirmed: (at) => `planned for ${at}, not confirmed`,
  damaged: (why) => `RECORDS DAMAGED: ${why}`,
  clockApart: (s) => `This device's clock differs from the controller's by ${s}. Times here are the controller's.`,
  viewOnly: "Signed out after a time without use: this page is view only.",

  overview: "Overview", tasks: "Tasks", alarms: "Alarms", unit: "Unit", run: "Run", noUnits: "This bench has no unit.",
  signIn: "Sign in", signOut: "Sign out", user: "User", password: "Password", theme: "Look",
  themes: { light: "Light", dark: "Dark", system: "As the system" },
  setUp: "First set-up", token: "Set-up token", fullName: "Name of the person", create: "Create the account",
  tokenNote: "The token was printed where osteon was started, and lies in a file there that only its owner can read. It works once.",
  passwordNote: "12 to 128 characters; pasting and password managers are welcome.",
  equipment: "Equipment instructions without signing in",
  signInAgain: "The session has ended. Sign in to go on where you were.",
  noServer: "The server does not answer. Is osteon running?",
  newPassword: "New password", newPasswordNote: "This password was given for one use: choose a new one.",
  insecure: "INSECURE CONNECTION: this page and its passwords can be read on the network.",
  waitsFor: (what, now, held, need) => (need ? `Waiting for ${what} for ${need} (now ${now}, ${held} of ${need})` : `Waiting for ${what} (now ${now})`),
  notKnown: "not known", progress: (moved, asked) => `${moved} of ${asked} mL (measured)`, then: "Then", above: (n) => `above ${n}`, below: (n) => `below ${n}`,
  docs: "API", menu: "Menu",

  noRun: "No run on this unit.",
  since: (t) => `since ${t}`,
  day: (d, of) => (of ? `day ${d} of ${of}` : `day ${d}`),
  next: "Next", now: "Now", nothingNext: "Nothing has a time of its own; the run waits for what is under way.",
  needs: "Needs a person", nobody: "Nothing waits for a person.", next24: "Next 24 h", health: "Site",
  openTasks: (n) => (n === 1 ? "1 open task" : `${n} open tasks`),
  dueIn: (t) => `due in ${t}`, dueAgo: (t) => `due ${t} ago`,
  overdueBy: (t) => `overdue by ${t}`,
  in: (t) => `in ${t}`,
  running: (t) => `for ${t}`,
  remaining: (t) => `${t} left`,
  volume: "Volume in the vessel", estimated: (ml, sigma) => `estimated ${ml} ± ${sigma} mL`, limits: (low, high) => `limits ${low} to ${high}`,
  lastExchange: (t) => `last medium change ${t} ago`,
  waitingDecision: "Waiting for a decision", counter: "counter", strokeInDoubt: (device, stroke, ml) => `${device}, ${stroke}, asked ${ml} mL`,
  atWorst: (ml, limit) => `at worst ${ml} of ${limit} mL then`, overLimit: "above its limit",
  decide: "Decide", reason: "Reason", movedMl: "So much has moved", leftMl: "So much stands in the syringe (if any)", secondLook: "Look again: fluid flows once more", goBack: "Go back",
  runTimeline: "Run timeline", openUnit: "Open the unit",
  schematic: "What is connected to what", values: "Values", charts: "Charts", nowNext: "Now and next", commands: "Commands", pumps: "Pumps",
  holdKeeps: (roles) => `Hold moves no more fluid. ${roles} continue.`,
  stopPumps: "Stop pumps",
  stopPumpsKeeps: "Stops every pump of this unit now and holds its run; the environment stays on.",
  pumpStopped: (name, at) => `${name}: stopped, confirmed ${at}`,
  pumpUnknown: (name) => `${name}: NOT CONFIRMED - go to the equipment`,
  phases: {
    sending: "Sending", accepted: "Accepted, waiting for the device", unknown: "Outcome not known - checking",
    unclear: "Outcome not known. It is not sent again. Look at the state above and at the equipment.",
    gone: "Not carried out: the controller never had this command.",
  },
  confirmed: (at) => `Confirmed ${at}`,
  refused: (why) => `Refused: ${why}`,
  noCommand: "No command is possible in this state.",
  stale: (ago) => `${ago} old`, noData: "no data yet", noDataFor: (ago) => `No data for ${ago}`, bad: "---",
  sp: "SP", to: "to", outside: "outside its limits",
  manualBadge: "M", substitutedBadge: "S",
  chartSummary: (name, span, mean, low, lowAt, high, highAt, unit) =>
    `${name}, last ${span}: mean ${unit ? `${mean} ${unit}` : mean}, min ${low} at ${lowAt}, max ${high} at ${highAt}`,
  chartEmpty: (name, span) => `${name}, last ${span}: no data`,
  span: "Span", loading: "Loading", startingBy: (doing) => `The demo is starting: ${doing}.`,

  timeline: "Timeline", list: "List", planned: "planned", actual: "actual", goNow: "Go to now", zoomIn: "Zoom in", zoomOut: "Zoom out",
  earlier: "Earlier", later: "Later", wholeRun: "Run", week: "Week", dayWord: "Day", sixHours: "6 h",
  lane: "Lane", what: "What", plannedFrom: "Planned", actualFrom: "Actual", disposition: "Outcome", amounts: "Asked / measured",
  open: "under way", notYet: "not yet", estimate: "estimate", outage: "outage", late: (t) => `${t} late`,
  legend: "outline: planned; filled: actual; hatched: outage", chartsThen: "Charts of this time", around: (t) => `Not live: around ${t}`, goLive: "Go to live",

  answer: "Answer", answerForMe: "Answer for me", iWill: "I will do it",
  answerForMeNote: "The simulated person does it and answers with the values the protocol expects.",
  mineNote: "This task is yours. The draft is kept in this browser.",
  mineHelped: "This task is yours to answer. What it asks for at the bench was done for you when you took it, because nobody can reach into "
    + "simulated equipment. Time goes slower while you write. The draft is kept in this browser.",
  answersIn: (s) => `The simulated person answers in ${s} s.`, giveBack: "Give it back", free: "Free it for others",
  freeNote: "For when this person cannot do it. It is recorded who freed it.",
  taskBy: (name) => `${name} is on this`,
  keptWrong: "more than 0 and at most 100 %",
  made: (kind, parents) => `${kind} of ${Object.entries(parents).map(([name, share]) => (share === null ? name : `${name} (${Math.round(share * 100)} %)`)).join(", ")}`,
  signOff: "Done, record it", lots: "Lots", lotOf: (stock) => (stock.length ? `on stock: ${stock.join(", ")}` : "none on stock: book it first (osteon materials add)"), until: "Consequence if missed", holdsAfter: (t) => `the run holds ${t} after the due time`,
  outMissing: "not written down is a deviation", outTooLong: (t) => `at most ${t}: more is a deviation`,
  outOf: (t) => `out of the incubator at most ${t}`, takes: (t) => `takes about ${t}`, sample: "Sample", noTasks: "No task is open.",
  yes: "yes", no: "no", choose: "choose", missing: "missing", notNumber: "a number is needed", limitsOf: (l, h, u) => `${l} to ${h} ${u}`,
  outsideLimits: (l, h, u) => `outside ${l} to ${h} ${u}: check it, the protocol allows no more`,
  unusual: (l, h, u) => `unusual: expected ${l} to ${h} ${u}`,
  answered: "Recorded.", claimed: { me: "", simulated: "The simulated person is on it.", anyone: "" },

  acknowledge: "Acknowledge", details: "Details", more: (n) => `+${n} more`, noAlarms: "No alarm stands.",
  ackNote: "Acknowledging does not remove the cause.",
  acked: (by, at) => `Acknowledged by ${by} ${at}`, returned: "condition gone, not yet seen by anybody", unacked: "not acknowledged",
  raised: "since", advice: "What to do", priority: "Priority", state: "State",
};

export const DIALOGS = {
  stop: (run) => ({ title: `Stop ${run}?`, text: "The run ends at the next safe point and cannot go on afterwards. The environment goes to the end set points of the protocol.",
    act: `Stop ${run}`, keep: "Keep running" }),
  abort: (run) => ({ title: `Abort ${run}?`, text: "Every pump stops now, the run ends at once and cannot go on. Temperature, CO₂ and stirring stay on.",
    act: `Abort ${run}`, keep: "Keep running" }),
  restart: (run) => ({ title: `Restart ${run}?`, text: "The run checks its conditions and goes on where it was held. Pumps may start.",
    act: `Restart ${run}`, keep: "Keep it held" }),
  resume: (run) => ({ title: `Resume ${run}?`, text: "The run goes on from its safe point. Pumps may start.",
    act: `Resume ${run}`, keep: "Keep it paused" }),
  reset: (run) => ({ title: `Put ${run} away?`, text: "The ended run leaves this unit; its records stay.", act: `Put ${run} away`, keep: "Leave it" }),
};
