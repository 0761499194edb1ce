// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What an issuer of tallycard says of its ledger, where it cannot take it back: the leaf of every
/// entry, with or without the entry itself, or the root of its Merkle tree from time to time.
/// Nothing is ever changed or deleted. docs/chain.md says how it is used.
contract TallycardLedger {
    /// Entry number `index`. `body` is the entry as docs/accounts.md has it (object E7), or empty.
    event Recorded(uint64 indexed index, bytes32 indexed leaf, bytes body);
    /// The first `size` entries have this root (RFC 9162, section 2.1, over SHA-256).
    event Anchored(uint64 indexed size, bytes32 indexed root);
    event WriterSet(address indexed account, bool may);

    error NotOwner();
    error NotWriter();
    /// An entry of this number is there, and it is another.
    error DifferentLeaf(uint64 index, bytes32 leaf);
    /// The entries between `length` and this one are missing.
    error Gap(uint64 length);
    /// The entry does not have this leaf.
    error WrongBody(uint64 index);
    /// The newest anchor is this one, not the one that was to be continued.
    error OtherHead(uint64 size, bytes32 root);

    /// The issuer's card root key: whose ledger this is.
    bytes32 public issuer;
    address public owner;
    mapping(address => bool) public writers;

    uint64 private length; // entries
    uint64 private size; // of the newest anchor
    bytes32 private root;
    mapping(uint64 => bytes32) private leaf;

    constructor(bytes32 issuer_) {
        issuer = issuer_;
        owner = msg.sender;
        writers[msg.sender] = true;
        root = sha256("");
        emit WriterSet(msg.sender, true);
    }

    function setWriter(address account, bool may) external {
        if (msg.sender != owner) revert NotOwner();
        writers[account] = may;
        emit WriterSet(account, may);
    }

    /// The entries from number `first` on, by their leaves; `bodies` is empty or has one for each.
    /// Those that are there already are passed over, so the same call again does nothing.
    function record(uint64 first, bytes32[] calldata leaves_, bytes[] calldata bodies) external {
        if (!writers[msg.sender]) revert NotWriter();
        uint64 end = length;
        if (first > end) revert Gap(end);
        for (uint256 i = 0; i < leaves_.length; ++i) {
            uint64 index = first + uint64(i);
            if (index < end) {
                if (leaf[index] != leaves_[i]) revert DifferentLeaf(index, leaf[index]);
                continue;
            }
            bytes calldata body = bodies.length == 0 ? msg.data[0:0] : bodies[i];
            if (body.length != 0 && sha256(abi.encodePacked(uint8(0), body)) != leaves_[i])
                revert WrongBody(index);
            leaf[index] = leaves_[i];
            end = index + 1;
            emit Recorded(index, leaves_[i], body);
        }
        length = end;
    }

    /// Compare and swap: `newRoot` after `newSize` entries, where the newest anchor is
    /// (`oldSize`, `oldRoot`). The same call again does nothing.
    function anchor(uint64 oldSize, bytes32 oldRoot, uint64 newSize, bytes32 newRoot) external {
        if (!writers[msg.sender]) revert NotWriter();
        if (size == newSize && root == newRoot) return;
        if (size != oldSize || root != oldRoot || newSize <= oldSize) revert OtherHead(size, root);
        size = newSize;
        root = newRoot;
        emit Anchored(newSize, newRoot);
    }

    /// How far it has come: entries, and the newest anchor.
    function head() external view returns (uint64, uint64, bytes32) {
        return (length, size, root);
    }

    /// The leaves of `count` entries from number `first` on; zero where there is no entry.
    function leaves(uint64 first, uint64 count) external view returns (bytes32[] memory found) {
        found = new bytes32[](count);
        for (uint64 i = 0; i < count; ++i) found[i] = leaf[first + i];
    }
}
