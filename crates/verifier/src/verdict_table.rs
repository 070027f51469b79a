// The one table of verdicts; docs/verdicts.md is printed from it.
codes! {
    /// The pass holds what the gate asked for.
    Accepted, Accept, "ACCEPTED",
        resident: "可以通行。" / "You may pass.",
        officer: "放行；若标明仅凭证件或样本，按本单位规定复核。" / "Let pass; where the screen marks a card alone or a specimen, follow the house rule for it.",
        operator: "无需处理。" / "Nothing.";
    /// No canonical showing.
    Malformed, Reject, "MALFORMED",
        resident: "此二维码不是通行凭证，请重新打开。" / "This code is not a pass. Open your pass again.",
        officer: "请对方刷新后再扫一次。" / "Ask for a fresh code and scan once more.",
        operator: "若频繁出现，检查扫码设备。" / "If frequent, check the scanner.";
    /// Longer than any pass.
    TooLong, Reject, "TOO_LONG",
        resident: "此二维码不是通行凭证。" / "This code is not a pass.",
        officer: "请对方出示正确的二维码。" / "Ask for the right code.",
        operator: "若频繁出现，可能有人试探系统。" / "If frequent, somebody may be probing.";
    /// A layout version from another time.
    UnknownVersion, Reject, "UNKNOWN_VERSION",
        resident: "本核验端不认识此版本的凭证：它或您的应用需要更新。" / "This checkpoint does not know this version of a pass: it, or your app, needs an update.",
        officer: "人工核验，并报告：本核验端可能过旧。" / "Check by hand, and report that this checkpoint may be out of date.",
        operator: "检查本核验端是否需要更新。" / "Check whether this checkpoint needs an update.";
    /// A pass under a test circuit at a production gate.
    Specimen, Reject, "SPECIMEN",
        resident: "这是样本，不能用于通行。" / "This is a specimen and no pass.",
        officer: "不放行；请出示正式凭证。" / "Do not let pass; ask for a real pass.",
        operator: "若由正式节点签发，立即检查该节点的配置。" / "If a production node issued it, check its configuration at once.";
    /// Older than the gate admits.
    PassExpired, Reject, "PASS_EXPIRED",
        resident: "凭证已过期，请领取新的。" / "Your pass is too old. Fetch a new one.",
        officer: "请对方刷新凭证。" / "Ask for a newer pass.",
        operator: "若频繁出现，检查归属节点是否按时出证。" / "If frequent, check whether home nodes issue in time.";
    /// A worse colour bound than the gate asks for.
    ColourTooWeak, Reject, "COLOUR_TOO_WEAK",
        resident: "本处要求更高的健康码颜色，请领取相应的凭证。" / "This gate asks for a better colour. Fetch a pass that claims it, if you can.",
        officer: "说明本处要求；不推断对方的颜色。" / "Say what is asked here; infer nothing about the person's colour.",
        operator: "核对本处的准入规则。" / "Check this gate's acceptance rule.";
    /// No test, or an older one than the gate asks for.
    TestTooOld, Reject, "TEST_TOO_OLD",
        resident: "凭证未证明所需时限内的阴性检测。" / "Your pass does not show a negative test as recent as asked here.",
        officer: "请对方先检测或领取含检测时限的凭证。" / "Ask for a test, or a pass that claims one.",
        operator: "核对本处的准入规则。" / "Check this gate's acceptance rule.";
    /// A binding that the gate does not admit.
    BinderNotAccepted, Reject, "BINDER_NOT_ACCEPTED",
        resident: "本处不接受此类凭证。" / "This kind of pass is not accepted here.",
        officer: "说明本处接受的类型，或人工核验。" / "Say which kinds are accepted, or check by hand.",
        operator: "核对本处接受的类型是否符合规定。" / "Check that the admitted kinds are the prescribed ones.";
    /// A rule set of another province.
    RuleSetNotAccepted, Reject, "RULE_SET_NOT_ACCEPTED",
        resident: "凭证按另一地的规则生成，请按本地或全国规则领取。" / "This pass follows another province's rules. Fetch one for this province or the nation.",
        officer: "请对方按本地规则重新领取。" / "Ask for a pass under this province's rules.",
        operator: "核对本核验端的省份设置。" / "Check the province set for this checkpoint.";
    /// A rule set that was not in force yet.
    RuleSetNotYetValid, Reject, "RULE_SET_NOT_YET_VALID",
        resident: "凭证所用规则尚未生效，请重新领取。" / "This pass follows rules that were not in force yet. Fetch a new one.",
        officer: "请对方重新领取。" / "Ask for a new pass.",
        operator: "通知归属方:其节点提前使用了规则。" / "Report it: some node used a rule set early.";
    /// A rule set out of force for longer than the grace time.
    RuleSetSuperseded, Reject, "RULE_SET_SUPERSEDED",
        resident: "凭证所用规则已废止，请重新领取。" / "This pass follows rules that are no longer in force. Fetch a new one.",
        officer: "请对方重新领取。" / "Ask for a new pass.",
        operator: "若频繁出现，检查归属节点是否已换用新规则。" / "If frequent, check that nodes have moved to the new rule set.";
    /// Another risk map than its epoch's.
    RiskMapNotOfEpoch, Reject, "RISK_MAP_NOT_OF_EPOCH",
        resident: "凭证所用风险地区名单不是当期名单，请重新领取。" / "This pass uses another risk map than the one of its time. Fetch a new one.",
        officer: "请对方重新领取；仍出现则人工核验。" / "Ask for a new pass; if it happens again, check by hand.",
        operator: "保留样本并上报：正常节点只用当期名单。" / "Keep the code and report it: a sound node uses its epoch's map only.";
    /// Its home or its holder revoked it.
    Revoked, Reject, "REVOKED",
        resident: "凭证已撤销，请重新领取。" / "This pass was revoked. Fetch a new one.",
        officer: "不放行；请对方重新领取。" / "Do not let pass; ask for a new pass.",
        operator: "无需处理。" / "Nothing.";
    /// A showing of another half minute.
    SlotNotCurrent, Reject, "SLOT_NOT_CURRENT",
        resident: "二维码不是当前的，请出示实时页面，勿用截图，并核对手机时间。" / "This code is not of this moment. Show the live screen, not a picture, and check your phone's clock.",
        officer: "要求出示实时页面。" / "Ask for the live screen.",
        operator: "若频繁出现，校准核验端时钟。" / "If frequent, set this checkpoint's clock.";
    /// Not this gate's challenge.
    ChallengeMismatch, Reject, "CHALLENGE_MISMATCH",
        resident: "请先扫描本处的随机码，再出示凭证。" / "Scan this gate's challenge first, then show your pass.",
        officer: "重新出示随机码后再扫。" / "Show a fresh challenge and scan again.",
        operator: "若频繁出现，可能有人转发他处的二维码。" / "If frequent, somebody may be relaying codes.";
    /// Not signed by the key that the pass belongs to.
    WrongHolder, Reject, "WRONG_HOLDER",
        resident: "此凭证不属于这部设备。" / "This pass does not belong to this device.",
        officer: "不放行；凭证可能属于他人。" / "Do not let pass; the pass may be another person's.",
        operator: "若频繁出现，可能有人转卖凭证。" / "If frequent, passes may be passed around.";
    /// The same pass was shown here in the same half minute.
    Replayed, Reject, "REPLAYED",
        resident: "此二维码刚刚用过，请等待半分钟后刷新。" / "This code was just used here. Wait half a minute for a fresh one.",
        officer: "等待新的二维码；留意是否有两人出示同一码。" / "Wait for a fresh code; look out for two people with one code.",
        operator: "若频繁出现，检查扫码设备是否重复读取。" / "If frequent, check whether the scanner reads twice.";
    /// The card presented is not the one that the pass belongs to, or the proof does not hold.
    CardMismatch, Reject, "CARD_MISMATCH",
        resident: "证件与凭证不符。" / "The identity card does not go with this pass.",
        officer: "核对证件后再读一次；仍不符则不放行。" / "Check the card and read it once more; if it still does not match, do not let pass.",
        operator: "若频繁出现，检查读卡设备。" / "If frequent, check the card reader.";
    /// The proof does not hold for what the pass says.
    ProofInvalid, Reject, "PROOF_INVALID",
        resident: "凭证无效，请重新领取。" / "This pass is not valid. Fetch a new one.",
        officer: "不放行；凭证可能系伪造。" / "Do not let pass; the pass may be forged.",
        operator: "保留样本并上报。" / "Keep the code and report it.";
    /// The gate has no trust list yet.
    NoList, Undecided, "NO_LIST",
        resident: "本处尚未启用，请走人工通道。" / "This gate is not ready yet. Use the manual lane.",
        officer: "转人工核验，并通知运维。" / "Check by hand and call the operator.",
        operator: "获取信任列表后再启用。" / "Fetch a trust list before the gate opens.";
    /// The gate's clock is behind something that has certainly happened.
    ClockSetBack, Undecided, "CLOCK_SET_BACK",
        resident: "本处设备故障，请走人工通道。" / "This gate has a fault. Use the manual lane.",
        officer: "转人工核验，并通知运维。" / "Check by hand and call the operator.",
        operator: "校准时钟，查明被调慢的原因。" / "Set the clock and find out why it was behind.";
    /// The online trust list is beyond its hard age.
    ListStale, Undecided, "LIST_STALE",
        resident: "本处数据过旧，请走人工通道。" / "This gate's data is too old. Use the manual lane.",
        officer: "转人工核验，并通知运维。" / "Check by hand and call the operator.",
        operator: "更新信任列表；检查更新程序与网络。" / "Refresh the trust list; check the refresher and the network.";
    /// The root document of the trust list is past its end.
    ListExpired, Undecided, "LIST_EXPIRED",
        resident: "本处数据已过期，请走人工通道。" / "This gate's data has expired. Use the manual lane.",
        officer: "转人工核验，并通知运维。" / "Check by hand and call the operator.",
        operator: "获取新的根文件。" / "Fetch the new root document.";
    /// A circuit that the trust list does not have.
    UnknownCircuit, Undecided, "UNKNOWN_CIRCUIT",
        resident: "本处暂不能识别此凭证。" / "This gate does not know this kind of pass yet.",
        officer: "转人工核验，并通知运维。" / "Check by hand and call the operator.",
        operator: "更新信任列表；若仍未知，视为可疑。" / "Refresh the trust list; if still unknown, treat it as suspicious.";
    /// An epoch that the trust list does not have.
    UnknownEpoch, Undecided, "UNKNOWN_EPOCH",
        resident: "本处数据尚未更新，请稍候。" / "This gate's data is not up to date. Please wait.",
        officer: "更新后再扫，或人工核验。" / "Refresh and scan again, or check by hand.",
        operator: "更新信任列表。" / "Refresh the trust list.";
    /// A rule set that the trust list does not have.
    UnknownRuleSet, Undecided, "UNKNOWN_RULE_SET",
        resident: "本处暂不能识别凭证所用规则。" / "This gate does not know the rules of this pass yet.",
        officer: "更新后再扫，或人工核验。" / "Refresh and scan again, or check by hand.",
        operator: "更新信任列表；若仍未知，视为可疑。" / "Refresh the trust list; if still unknown, treat it as suspicious.";
    /// The pass is bound to a card, and none was read.
    CardNotPresented, Undecided, "CARD_NOT_PRESENTED",
        resident: "请同时出示身份证件。" / "Present your identity card as well.",
        officer: "读取身份证件后再扫。" / "Read the identity card and scan again.",
        operator: "若频繁出现，检查读卡设备。" / "If frequent, check the card reader.";
    /// The gate remembers as many showings as it can.
    MemoryFull, Undecided, "MEMORY_FULL",
        resident: "本处繁忙，请稍候。" / "This gate is busy. Please wait.",
        officer: "等待一分钟，或人工核验。" / "Wait a minute, or check by hand.",
        operator: "分流人员，或增设核验端。" / "Spread people over more checkpoints.";
}
