"use strict";
// What lora-packet says: one JSON request a line on standard input, one JSON answer a line on standard output.
// Buffers travel as hex, most significant byte first, as lora-packet keeps them.

const { createInterface } = require("node:readline");
const lora = require("lora-packet");

const raw = (text) => Buffer.from(text, "hex");
const text = (buffer) => (buffer ? buffer.toString("hex") : "");
const optional = (value) => (value === undefined ? undefined : raw(value));

const high = (fCnt) => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(fCnt >>> 16);
  return bytes;
};

// ConfFCnt goes in most significant byte first on uplinks, which lora-packet turns itself, and least first on downlinks.
const confirmation = (q) => {
  if (!q.is_1_1) return undefined;
  const bytes = Buffer.alloc(q.uplink ? 4 : 2);
  if (q.uplink) {
    bytes.writeUInt16BE(q.conf_f_cnt & 0xffff);
    bytes[2] = q.tx_dr;
    bytes[3] = q.tx_ch;
  } else {
    bytes.writeUInt16LE(q.conf_f_cnt & 0xffff);
  }
  return bytes;
};

const micKeys = (q) => (q.is_1_1 ? [raw(q.f_nwk), raw(q.s_nwk)] : [raw(q.f_nwk), undefined]);

const fields = (q) => ({
  MType: q.f_type,
  DevAddr: raw(q.dev_addr),
  FCnt: q.f_cnt & 0xffff,
  FCtrl: { ADR: q.adr, ADRACKReq: q.bit_6, ACK: q.ack, FPending: q.bit_4 },
  FOpts: raw(q.f_opts),
  FPort: q.f_port === null ? undefined : q.f_port,
  payload: raw(q.payload),
});

function build(q) {
  const [first, second] = micKeys(q);
  // With all three keys and FPort 0, fromFields enciphers by the one it calls AppSKey.
  const payloadKey = q.f_port === 0 ? raw(q.nwk_enc) : raw(q.app);
  const packet =
    q.is_1_1 || q.f_port !== 0
      ? lora.fromFields(fields(q), payloadKey, first, second, high(q.f_cnt), confirmation(q))
      : lora.fromFields(fields(q), undefined, first, undefined, high(q.f_cnt));
  if (q.is_1_1 && q.f_opts) packet.encryptFOpts(raw(q.nwk_enc), undefined, high(q.f_cnt));
  lora.recalculateMIC(packet, first, second, high(q.f_cnt), confirmation(q));
  return { phy: text(packet.PHYPayload) };
}

function open(q) {
  const packet = lora.fromWire(raw(q.phy));
  const [first, second] = micKeys(q);
  const answer = {
    f_type: packet.MHDR[0] >> 5,
    dev_addr: text(packet.DevAddr),
    adr: packet.getFCtrlADR(),
    bit_6: packet.getFCtrlADRACKReq(),
    ack: packet.getFCtrlACK(),
    bit_4: packet.getFCtrlFPending(),
    f_cnt: packet.getFCnt(),
    f_port: packet.getFPort(),
    mic_ok: lora.verifyMIC(packet, first, second, high(q.f_cnt), confirmation(q)),
    payload: text(lora.decrypt(packet, raw(q.app), raw(q.nwk_enc), high(q.f_cnt))),
  };
  const plain = !q.is_1_1 || packet.FOpts.length === 0;
  answer.f_opts = text(plain ? packet.FOpts : packet.decryptFOpts(raw(q.nwk_enc), undefined, high(q.f_cnt)));
  return answer;
}

const micOk = (q) => {
  const packet = lora.fromWire(raw(q.phy));
  const [first, second] = micKeys(q);
  return { mic_ok: lora.verifyMIC(packet, first, second, high(q.f_cnt), confirmation(q)) };
};

const joinRequest = (q) => {
  const named = { MType: "Join Request", AppEUI: raw(q.join_eui), DevEUI: raw(q.dev_eui), DevNonce: raw(q.dev_nonce) };
  return { phy: text(lora.fromFields(named, undefined, undefined, raw(q.key)).PHYPayload) };
};

const openJoinRequest = (q) => {
  const packet = lora.fromWire(raw(q.phy));
  return {
    join_eui: text(packet.AppEUI),
    dev_eui: text(packet.DevEUI),
    dev_nonce: text(packet.DevNonce),
    mic_ok: lora.verifyMIC(packet, undefined, raw(q.key)),
  };
};

const joinAccept = (q) => {
  const named = {
    MType: "Join Accept",
    AppNonce: raw(q.join_nonce),
    NetID: raw(q.net_id),
    DevAddr: raw(q.dev_addr),
    DLSettings: raw(q.dl_settings),
    RxDelay: raw(q.rx_delay),
    CFList: raw(q.cf_list),
    JoinReqType: optional(q.join_req_type),
    AppEUI: optional(q.join_eui),
    DevNonce: optional(q.dev_nonce),
  };
  return { phy: text(lora.fromFields(named, undefined, optional(q.js_int), raw(q.key)).PHYPayload) };
};

const openJoinAccept = (q) => {
  const packet = lora.fromWire(lora.decryptJoinAccept(lora.fromWire(raw(q.phy)), raw(q.key)));
  if (q.js_int !== undefined) {
    packet.JoinReqType = raw(q.join_req_type);
    packet.JoinEUI = raw(q.join_eui);
    packet.DevNonce = raw(q.dev_nonce);
  }
  return {
    join_nonce: text(packet.AppNonce),
    net_id: text(packet.NetID),
    dev_addr: text(packet.DevAddr),
    opt_neg: packet.getDLSettingsOptNeg(),
    rx1_dr_offset: packet.getDLSettingsRxOneDRoffset(),
    rx2_dr: packet.getDLSettingsRxTwoDataRate(),
    rx_delay: packet.getRxDelayDel(),
    cf_list: text(packet.CFList),
    mic_ok: lora.verifyMIC(packet, optional(q.js_int), raw(q.key)),
  };
};

// RJcount1 of type 1 is left out: lora-packet 0.9.3 reads it from inside DevEUI.
const rejoin = (q) => {
  const packet = lora.fromWire(raw(q.phy));
  return {
    rejoin_type: packet.RejoinType[0],
    net_id: text(packet.NetID),
    join_eui: text(packet.JoinEUI),
    dev_eui: text(packet.DevEUI),
    rj_count: packet.RejoinType[0] === 1 ? "" : text(packet.RJCount0),
    mic_ok: lora.verifyMIC(packet, raw(q.key), raw(q.key)),
  };
};

const keys10 = (q) => {
  const keys = lora.generateSessionKeys10(raw(q.key), raw(q.net_id), raw(q.join_nonce), raw(q.dev_nonce));
  return { nwk: text(keys.NwkSKey), app: text(keys.AppSKey) };
};

const keys11 = (q) => {
  const nwkKey = raw(q.nwk_key);
  const keys = lora.generateSessionKeys11(
    raw(q.app_key), nwkKey, raw(q.join_eui), raw(q.join_nonce), raw(q.dev_nonce));
  const lifetime = lora.generateJSKeys(nwkKey, raw(q.dev_eui));
  return {
    f_nwk: text(keys.FNwkSIntKey),
    s_nwk: text(keys.SNwkSIntKey),
    nwk_enc: text(keys.NwkSEncKey),
    app: text(keys.AppSKey),
    js_int: text(lifetime.JSIntKey),
    js_enc: text(lifetime.JSEncKey),
  };
};

const worKeys = (q) => {
  const root = lora.generateWORKey(raw(q.nwk_enc)).RootWorSKey;
  const keys = lora.generateWORSessionKeys(root, raw(q.dev_addr));
  return { root: text(root), int: text(keys.WorSIntKey), enc: text(keys.WorSEncKey) };
};

// One job on uplinks in this process alone, in frames a second, buffers ready: the best of `repeats` runs.
const speed = (q) => {
  const ready = q.frames.map((each) => ({
    bytes: raw(each.phy),
    fields: fields(each),
    mic: micKeys(each),
    app: raw(each.app),
    nwk: raw(each.nwk_enc),
    high: high(each.f_cnt),
    confirmation: confirmation(each),
  }));
  // lora-packet turns ConfFCnt over in place, so each call gets its own
  const own = (buffer) => buffer && Buffer.from(buffer);
  const seal = (each) =>
    lora.fromFields(each.fields, each.app, each.mic[0], each.mic[1], each.high, own(each.confirmation)).PHYPayload;
  const read = (each) => {
    const packet = lora.fromWire(each.bytes);
    if (!lora.verifyMIC(packet, each.mic[0], each.mic[1], each.high, own(each.confirmation))) throw new Error("MIC");
    return lora.decrypt(packet, each.app, each.nwk, each.high);
  };
  const one = q.build ? seal : read;
  if (q.build && !seal(ready[7]).equals(ready[7].bytes)) throw new Error("another frame");
  let best = Infinity;
  for (let run = 0; run < q.repeats; run += 1) {
    const start = process.hrtime.bigint();
    for (const each of ready) one(each);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
  }
  return { per_s: ready.length / best };
};

const ANSWERS = {
  build, open, mic_ok: micOk, join_request: joinRequest, open_join_request: openJoinRequest,
  join_accept: joinAccept, open_join_accept: openJoinAccept, rejoin, keys_10: keys10, keys_11: keys11, wor_keys: worKeys, speed,
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const question = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(ANSWERS[question.op](question))}\n`);
});
