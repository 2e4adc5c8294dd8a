# SPDX-License-Identifier: Apache-2.0
"""Every check of the architecture by its name. A check takes a Tree and returns findings, each one
sentence that begins with the file; none means the rule holds."""

from checks import code, documents, functions, includes, interfaces, sources

ALL = {
    "include-graph": includes.include_graph,
    "third-party-headers": includes.third_party_headers,
    "headers-alone": includes.headers_alone,
    "licence-and-purpose": sources.licence_and_purpose,
    "no-developer-paths": sources.no_developer_paths,
    "merged": sources.merged,
    "names": sources.names,
    "no-programs": code.no_programs,
    "no-sleeps": code.no_sleeps,
    "owners": code.owners,
    "function-length": functions.function_length,
    "lambda-length": functions.lambda_length,
    "bus-contract": interfaces.bus_contract,
    "json-and-toml": documents.json_and_toml,
    "xml": documents.xml,
    "man-pages": documents.man_pages,
    "shell-scripts": documents.shell_scripts,
    "links": documents.links,
}
