# Where a package puts what is built: `cmake --install build/release`, or one component of it with `--component`:
# host (daemon and command), relay, control, and accounts, which each of them needs.
include(GNUInstallDirs)

# install_component(NAME PROGRAMS… DAEMONS… SETTINGS… UNITS… PAGES…): settings not below the prefix: the daemons look
# nowhere else.
function(install_component component)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PROGRAMS;DAEMONS;SETTINGS;UNITS;PAGES")
  install(TARGETS ${arg_DAEMONS} DESTINATION ${CMAKE_INSTALL_SBINDIR} COMPONENT ${component})
  if(arg_PROGRAMS)
    install(TARGETS ${arg_PROGRAMS} DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
  endif()
  install(FILES ${arg_SETTINGS} DESTINATION /etc/volgrow COMPONENT ${component})
  list(TRANSFORM arg_UNITS PREPEND systemd/)
  install(FILES ${arg_UNITS} DESTINATION lib/systemd/system COMPONENT ${component})
  foreach(page IN LISTS arg_PAGES)
    cmake_path(GET page EXTENSION LAST_ONLY section)
    string(REPLACE "." "man" folder ${section})
    install(FILES docs/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/${folder} COMPONENT ${component})
  endforeach()
endfunction()

install_component(host
  DAEMONS volgrowd PROGRAMS volgrow
  SETTINGS agent/agent.toml UNITS volgrowd.service PAGES volgrowd.8 volgrow.1 agent.toml.5)
install(FILES dbus/org.volgrow.Agent1.xml DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/interfaces COMPONENT host)
install(FILES systemd/org.volgrow.Agent1.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/system.d COMPONENT host)

install_component(relay
  DAEMONS volgrow-relay
  SETTINGS relay/relay.toml UNITS volgrow-relay.service PAGES volgrow-relay.8 relay.toml.5)

install_component(control
  DAEMONS volgrow-control volgrow-backend
  SETTINGS control/control.toml UNITS volgrow-control.service volgrow-backend.service volgrow-backend.socket
  PAGES volgrow-control.8 volgrow-backend.8 control.toml.5)

install(FILES systemd/volgrow.sysusers DESTINATION lib/sysusers.d RENAME volgrow.conf COMPONENT accounts)
install(FILES systemd/volgrow.tmpfiles DESTINATION lib/tmpfiles.d RENAME volgrow.conf COMPONENT accounts)
