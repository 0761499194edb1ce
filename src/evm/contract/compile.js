// SPDX-License-Identifier: Apache-2.0
// compile.js SOLC-FOLDER: prints the artefact of the contract beside it, TallycardLedger.json, as the
// compiler of that folder (npm's solc) makes it.
'use strict';
const fs = require('fs');
const path = require('path');

const solc = require(path.resolve(process.argv[2]));
const name = 'TallycardLedger';
const file = name + '.sol';
const settings = {
    optimizer: {enabled: true, runs: 10000},
    evmVersion: 'paris',  // no PUSH0 and nothing later: chains that lag behind run it, too
    metadata: {bytecodeHash: 'none', appendCBOR: false},
    outputSelection: {
        [file]: {'': ['ast'],
                 [name]: ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object',
                          'evm.methodIdentifiers']}
    }
};
const input = {
    language: 'Solidity',
    sources: {[file]: {content: fs.readFileSync(path.join(__dirname, file), 'utf8')}},
    settings
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const problem of output.errors || []) {
    process.stderr.write(problem.formattedMessage);
    process.exitCode = 1;
}
if (process.exitCode) process.exit();

const {abi, evm} = output.contracts[file][name];
const parts = output.sources[file].ast.nodes.find((node) => node.name === name).nodes;
const selectors = (type, key) => Object.fromEntries(
    parts.filter((node) => node.nodeType === type).map((node) => [node.name, node[key]]));
const functions = Object.fromEntries(
    Object.entries(evm.methodIdentifiers).map(([key, value]) => [key.split('(')[0], value]));
console.log(JSON.stringify({
    contract: name,
    compiler: solc.version(),
    evmVersion: settings.evmVersion,
    functions,
    events: selectors('EventDefinition', 'eventSelector'),
    errors: selectors('ErrorDefinition', 'errorSelector'),
    creation: evm.bytecode.object,
    runtime: evm.deployedBytecode.object,
    abi
}, null, 2));
