# Where a package puts what is built: `cmake --install build/release`. The D-Bus contract and the bus
# policy are installed from dbus/.
include(GNUInstallDirs)
install(TARGETS volgrowd volgrow-relay volgrow-control volgrow-backend DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS volgrow DESTINATION ${CMAKE_INSTALL_BINDIR})
# Not below the prefix: the daemons look nowhere else.
install(FILES agent/agent.toml relay/relay.toml control/control.toml DESTINATION /etc/volgrow)
install(FILES systemd/volgrowd.service systemd/volgrow-relay.service systemd/volgrow-control.service
              systemd/volgrow-backend.service systemd/volgrow-backend.socket
        DESTINATION lib/systemd/system)
install(FILES systemd/volgrow.sysusers DESTINATION lib/sysusers.d RENAME volgrow.conf)
install(FILES systemd/volgrow.tmpfiles DESTINATION lib/tmpfiles.d RENAME volgrow.conf)
install(FILES docs/man/volgrow.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/agent.toml.5 docs/man/relay.toml.5 docs/man/control.toml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES docs/man/volgrowd.8 docs/man/volgrow-relay.8 docs/man/volgrow-control.8
              docs/man/volgrow-backend.8
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
