// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && linux

// Package hostile runs the built collector in a network of its own, where every
// address is this machine's: an API, a storage host, a proxy and a name server, all
// hostile. Whatever the collector connects to is seen, and nothing leaves the
// machine.
package hostile

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inside is set for the process that has the network: to asRoot where that needed no
// user namespace.
const (
	inside = "HOSTILE_INSIDE"
	asRoot = "root"
)

// TestMain runs the tests as a child process in a network namespace of its own. As
// root a network namespace is enough; anybody else gets one with a user namespace,
// where the machine allows that.
func TestMain(m *testing.M) {
	if os.Getenv(inside) != "" {
		if err := openNetwork(); err != nil {
			fmt.Fprintln(os.Stderr, "open network:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	os.Exit(runInside())
}

func runInside() (status int) {
	runtime.LockOSThread() // the child ends with the thread
	var err error
	for _, attributes := range []syscall.SysProcAttr{
		{Cloneflags: syscall.CLONE_NEWNET},
		{
			Cloneflags:  syscall.CLONE_NEWNET | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		},
	} {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Env = append(os.Environ(), inside+"="+asRoot)
		if attributes.Cloneflags&syscall.CLONE_NEWUSER != 0 {
			cmd.Env = append(cmd.Env, inside+"=user")
		}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		attributes.Pdeathsig = syscall.SIGKILL
		cmd.SysProcAttr = &attributes
		if err = cmd.Start(); err == nil {
			_ = cmd.Wait()
			return cmd.ProcessState.ExitCode()
		}
	}
	if os.Getenv("CI") == "true" {
		fmt.Fprintln(os.Stderr, "this machine gives the test no network of its own:", err)
		return 1
	}
	fmt.Println("SKIP e2e/hostile: this machine gives it no network of its own; run it as root, or allow user namespaces:", err)
	return 0
}

// openNetwork starts the loopback interface and makes every address one of this
// machine.
func openNetwork() error {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return err
	}
	link := binary.NativeEndian.AppendUint32([]byte{unix.AF_UNSPEC, 0, 0, 0}, uint32(lo.Index))
	link = binary.NativeEndian.AppendUint32(link, unix.IFF_UP)
	link = binary.NativeEndian.AppendUint32(link, unix.IFF_UP)
	if err := askKernel(unix.RTM_NEWLINK, 0, link); err != nil {
		return fmt.Errorf("loopback interface: %w", err)
	}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		route := []byte{family, 0, 0, 0, unix.RT_TABLE_LOCAL, unix.RTPROT_STATIC, unix.RT_SCOPE_HOST, unix.RTN_LOCAL, 0, 0, 0, 0}
		route = binary.NativeEndian.AppendUint16(route, unix.SizeofRtAttr+4)
		route = binary.NativeEndian.AppendUint16(route, unix.RTA_OIF)
		route = binary.NativeEndian.AppendUint32(route, uint32(lo.Index))
		if err := askKernel(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, route); err != nil {
			return fmt.Errorf("route of address family %d: %w", family, err)
		}
	}
	return nil
}

// askKernel sends one routing message and reads the answer.
func askKernel(kind, flags uint16, payload []byte) error {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	message := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(payload)))
	message = binary.NativeEndian.AppendUint16(message, kind)
	message = binary.NativeEndian.AppendUint16(message, unix.NLM_F_REQUEST|unix.NLM_F_ACK|flags)
	message = binary.NativeEndian.AppendUint64(message, 1) // sequence number 1, any port
	if err := unix.Sendto(socket, append(message, payload...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(socket, answer, 0)
	if err != nil {
		return err
	}
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return fmt.Errorf("netlink: answer of kind %d", binary.NativeEndian.Uint16(answer[4:]))
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// nameServer answers for every name that a world knows. It is reached by whatever
// address the machine's resolver is configured with.
type nameServer struct {
	conn net.PacketConn

	mu sync.Mutex // guards what follows
	// answers has the addresses of a name for each time it is asked; the last ones
	// stay.
	answers map[string][][]netip.Addr
	asked   []string
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", ":53")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, answers: map[string][][]netip.Addr{}}
	t.Cleanup(func() { _ = conn.Close() })
	go s.serve()
	return s
}

// set gives a name its addresses, separated by commas: one text for each time it is
// asked.
func (s *nameServer) set(name string, times ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range times {
		var addresses []netip.Addr
		for address := range strings.SplitSeq(text, ",") {
			addresses = append(addresses, netip.MustParseAddr(address))
		}
		s.answers[name] = append(s.answers[name], addresses)
	}
}

// names returns what was asked for.
func (s *nameServer) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *nameServer) serve() {
	packet := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if answer := s.answer(packet[:n]); answer != nil {
			_, _ = s.conn.WriteTo(answer, from)
		}
	}
}

const (
	headerSize = 12
	typeA      = 1
	typeAAAA   = 28
)

// answer to a query (RFC 1035, section 4): its first question, and the addresses of
// the family that is asked for.
func (s *nameServer) answer(query []byte) []byte {
	if len(query) < headerSize {
		return nil
	}
	name, end := question(query)
	if end > len(query) {
		return nil
	}
	kind := binary.BigEndian.Uint16(query[end-4:])
	addresses, known := s.take(name, kind)
	answer := binary.BigEndian.AppendUint16(slices.Clone(query[:2]), 0x8180) // an answer, recursion as asked for
	if !known {
		answer[3] |= 3 // no such name
	}
	answer = append(answer, 0, 1, 0, byte(len(addresses)), 0, 0, 0, 0)
	answer = append(answer, query[headerSize:end]...)
	for _, address := range addresses {
		data := address.AsSlice()
		answer = append(answer, 0xc0, headerSize) // the name of the question
		answer = binary.BigEndian.AppendUint16(answer, kind)
		answer = append(answer, 0, 1, 0, 0, 0, 0, 0, byte(len(data))) // internet, not to be cached
		answer = append(answer, data...)
	}
	return answer
}

// question returns the name of the first question in lower case, and where the
// question ends.
func question(query []byte) (name string, end int) {
	var labels []string
	at := headerSize
	for at < len(query) && query[at] != 0 {
		next := at + 1 + int(query[at])
		if next > len(query) {
			return "", len(query) + 1
		}
		labels = append(labels, strings.ToLower(string(query[at+1:next])))
		at = next
	}
	return strings.Join(labels, "."), at + 5
}

// take returns the addresses of one family, and moves on to the next answer once
// both families were asked for.
func (s *nameServer) take(name string, kind uint16) (found []netip.Addr, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, name)
	times, known := s.answers[name]
	if !known {
		return nil, false
	}
	for _, address := range times[0] {
		if address.Is4() == (kind == typeA) && (kind == typeA || kind == typeAAAA) {
			found = append(found, address)
		}
	}
	if len(times) > 1 && kind == typeA {
		s.answers[name] = times[1:]
	}
	return found, true
}
